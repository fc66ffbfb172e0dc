//! Log lines in the text form of Go's logrus: `key=value` pairs, values quoted
//! where they need it.

use super::side;

/// Checks each line and counts errors and warnings.
pub(crate) fn check(text: &str) -> (u64, u64) {
    assert!(text.ends_with('\n'), "the last line is cut: {text}");
    let (mut errors, mut warnings) = (0, 0);
    for line in text.lines() {
        let fields = fields(line);
        let keys: Vec<_> = fields.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys[..3], ["time", "level", "msg"], "{line}");
        side::instant(&fields[0].1);
        match fields[1].1.as_str() {
            "error" => errors += 1,
            "warning" => warnings += 1,
            "info" | "debug" => {}
            level => panic!("there is no level `{level}`: {line}"),
        }
        assert!(!fields[2].1.is_empty(), "{line}");
    }
    (errors, warnings)
}

fn fields(line: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (key, tail) = rest.split_once('=').unwrap_or_else(|| panic!("{line}"));
        assert!(!key.is_empty() && !key.contains([' ', '"']), "{line}");
        let (value, tail) = value(tail);
        fields.push((key.to_owned(), value));
        rest = tail.strip_prefix(' ').unwrap_or(tail);
    }
    fields
}

/// A value and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(' ').unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.push(chars.next().unwrap().1),
            c => value.push(c),
        }
    }
    panic!("a quote is not closed: {text}")
}
