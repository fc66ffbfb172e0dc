//! Tables as kubectl prints them: upper-case headers, three spaces between
//! columns, no lines.

use unicode_width::UnicodeWidthStr;

use super::style::{Style, Tone};

const GAP: usize = 3;

/// One field of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A phase, in its tone.
    pub fn phase(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            tone: super::style::phase(name),
        }
    }

    /// A count of problems: none is quiet, any has the tone.
    pub fn problems(count: u64, tone: Tone) -> Self {
        Self {
            text: count.to_string(),
            tone: if count == 0 { Tone::Plain } else { tone },
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text,
            tone: Tone::Plain,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Rows below headers.
#[derive(Debug, Clone, Default)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new<H: Into<String>>(headers: impl IntoIterator<Item = H>) -> Self {
        Self {
            headers: headers.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row with one cell for each header.
    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.headers.len(), "a cell for each column");
        self.rows.push(row);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, each line ended, none with blanks at its end.
    pub fn render(&self, style: Style) -> String {
        let widths: Vec<usize> = (0..self.headers.len()).map(|at| self.width(at)).collect();
        let headers: Vec<Cell> = self
            .headers
            .iter()
            .map(|text| Cell {
                text: text.clone(),
                tone: Tone::Strong,
            })
            .collect();
        let mut text = String::new();
        for row in std::iter::once(&headers).chain(&self.rows) {
            line(&mut text, row, &widths, style);
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let cells = self
            .rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.text.width());
        cells
            .chain([self.headers[column].width()])
            .max()
            .unwrap_or_default()
    }
}

fn line(text: &mut String, row: &[Cell], widths: &[usize], style: Style) {
    let last = row
        .iter()
        .rposition(|cell| !cell.text.is_empty())
        .unwrap_or_default();
    for (at, (cell, width)) in row.iter().zip(widths).enumerate().take(last + 1) {
        text.push_str(&style.paint(cell.tone, &cell.text));
        if at < last {
            let blanks = width.saturating_sub(cell.text.width()) + GAP;
            text.extend(std::iter::repeat_n(' ', blanks));
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["NAME", "STATUS", "SELECTOR"]);
        table.push(vec!["a".into(), Cell::phase("Failed"), "<none>".into()]);
        table.push(vec!["größer".into(), Cell::phase("New"), "".into()]);
        table
    }

    #[test]
    fn columns_line_up_and_lines_end_clean() {
        assert_eq!(
            table().render(Style::plain()),
            "NAME     STATUS   SELECTOR\n\
             a        Failed   <none>\n\
             größer   New\n"
        );
    }

    #[test]
    fn colour_does_not_move_columns() {
        let style = Style::of(&std::io::stdout(), crate::args::ColorWhen::Always);
        let colored = table().render(style);
        assert!(
            colored.contains("\x1b[31mFailed\x1b[0m   <none>"),
            "{colored}"
        );
    }
}
