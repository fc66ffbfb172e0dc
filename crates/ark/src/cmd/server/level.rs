//! How much the server logs: names of levels, Velero's among them, or filters.

/// The levels by name, as people are told them.
const NAMES: &str = "panic, fatal, error, warning, info, debug, trace";

/// Reads a level or a filter such as `ark_server=debug,info`; answers it in the
/// words of the log. A lone word that is no level is refused: as a filter it
/// would name a part of the program that does not exist, and log nothing.
pub(super) fn directives(text: &str) -> Result<String, String> {
    let named = match text.trim().to_ascii_lowercase().as_str() {
        "panic" | "fatal" | "error" => Some("error"),
        "warning" | "warn" => Some("warn"),
        "info" => Some("info"),
        "debug" => Some("debug"),
        "trace" => Some("trace"),
        "off" => Some("off"),
        _ => None,
    };
    match named {
        Some(name) => Ok(name.to_owned()),
        None if text.contains(['=', ',', '[']) => Ok(text.to_owned()),
        None => Err(format!(
            "`{text}` is no log level: the levels are {NAMES}, and a filter such as \
             `ark_server=debug,info` is understood, too"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn velero_s_names_are_understood() {
        let read = |text: &str| directives(text).unwrap();
        assert_eq!(read("warning"), "warn");
        assert_eq!(read("WARN"), "warn");
        assert_eq!(read("panic"), "error");
        assert_eq!(read("fatal"), "error");
        for same in ["error", "info", "debug", "trace", "ark_server=debug,info"] {
            assert_eq!(read(same), same);
        }
        assert!(directives("loud").unwrap_err().contains(NAMES));
    }
}
