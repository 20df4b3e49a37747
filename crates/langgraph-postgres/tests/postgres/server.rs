//! A database for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use langgraph_rust_postgres::tokio_postgres::{self, Client, NoTls};
use langgraph_rust_postgres::Postgres;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The address of the server, without a database; `None` if there is none.
pub fn server() -> Option<String> {
    let server = std::env::var("LANGGRAPH_RUST_POSTGRES").ok();
    if server.is_none() {
        eprintln!("skipped: LANGGRAPH_RUST_POSTGRES names no server (make test-rust-postgres)");
    }
    Some(server?.trim_end_matches('/').to_owned())
}

/// A connection of one's own.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("it connects");
    tokio::spawn(connection);
    client
}

/// The address of a new, empty database.
pub async fn database() -> Option<String> {
    let server = server()?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("rust_{}_{number}", std::process::id());
    let client = connect(&format!("{server}/postgres")).await;
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("it may be made");
    Some(format!("{server}/{name}"))
}

/// A saver on a new database.
pub async fn saver() -> Option<(Postgres, String)> {
    let url = database().await?;
    let saver = Postgres::connect(&url).await.expect("it connects");
    saver.setup().await.expect("tables can be made");
    Some((saver, url))
}
