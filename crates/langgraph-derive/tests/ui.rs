//! What the compiler says of mistakes: that it names the field and what to do.
//!
//! Its words change from release to release, so they are only looked at with the release that they were
//! written down with: with another, differences would be the compiler's. After a change of release, set
//! `PINNED`, run this with `TRYBUILD=overwrite`, and read what has changed.

/// The minor version of the compiler whose words `tests/ui/*.stderr` hold.
const PINNED: u32 = 95;

fn minor_version() -> Option<u32> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = std::process::Command::new(compiler).arg("--version").output().ok()?;
    let text = String::from_utf8(said.stdout).ok()?;
    if text.contains("nightly") || text.contains("beta") {
        return None;
    }
    text.split('.').nth(1)?.parse().ok()
}

#[test]
fn mistakes_are_explained() {
    if minor_version() != Some(PINNED) {
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
