//! Texts that have to fit.

/// As much of a text as fits into so many bytes, with a sign where something is
/// missing.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    const MORE: &str = "...";
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes - MORE.len());
    format!("{}{MORE}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_where_a_letter_ends() {
        let long = cut(&"\u{e4}".repeat(2000), 1024);
        assert!(long.len() <= 1024 && long.ends_with("..."), "{long}");
        assert_eq!(cut("short", 1024), "short");
    }
}
