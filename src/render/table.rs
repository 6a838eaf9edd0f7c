//! Tables as kubectl draws them: no rules, columns apart by spaces, headings in capitals.

use comfy_table::{ContentArrangement, Table, TableStyle};

/// A table under construction.
pub struct Columns {
    table: Table,
}

impl Columns {
    /// A table with these headings, no wider than `width` columns; never cut or wrapped when that is none.
    #[must_use]
    pub fn new(headings: &[&str], width: Option<usize>) -> Self {
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        match width.and_then(|width| u16::try_from(width).ok()) {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic);
                table.set_width(width);
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
        for column in table.column_iter_mut() {
            column.set_padding((0, 3));
        }
        Self { table }
    }

    /// Adds a row; cells may hold styled text.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.table.add_row(cells);
    }
}

impl std::fmt::Display for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.table.lines() {
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
