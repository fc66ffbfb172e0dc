//! The pages under `docs/cli/` are what the commands say.

use std::path::Path;

#[test]
fn the_reference_is_what_the_commands_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli");
    for page in ark::reference::pages() {
        let path = directory.join(&page.file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            text, page.text,
            "{} is out of date: `cargo xtask docs` writes it",
            page.file
        );
    }
}
