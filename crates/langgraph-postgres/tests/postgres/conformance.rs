//! The rules of all savers.

use std::sync::Arc;

use langgraph_rust_testkit::check_saver;

use crate::server::saver;

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_rules_of_savers() {
    let Some((saver, _)) = saver().await else { return };
    check_saver(Arc::new(saver)).await;
}
