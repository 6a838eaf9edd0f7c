//! Price files: CSV with a header, one price a line. Own prices and those that were fetched have the same form.
//!
//! ```text
//! region,name,term,usd,unit
//! eastus,Standard_E16s_v5,reserved-1y,0.5947,hour
//! eastus,P10 LRS,on-demand,19.71,month
//! ```
//!
//! Two more columns may follow or be left out: `listed`, a date, and `meter`, the name of Azure's meter. The order of the
//! columns does not matter; lines that begin with `#` are comments.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::super::money::Usd;
use super::super::names::nearest;
use super::book::{Origin, Quote, Sheet, Term, Unit};
use super::{Region, all_tiers, is_disk_tier, size, sizes};

const COLUMNS: [&str; 7] = ["region", "name", "term", "usd", "unit", "listed", "meter"];
/// Of the columns, those that every file has.
const NEEDED: usize = 5;
/// What snapshots are called.
pub const SNAPSHOTS: [&str; 2] = ["Snapshots LRS", "Snapshots ZRS"];

/// What is wrong with a price file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PriceFileError {
    /// Counted from 1.
    pub line: u64,
    pub problem: String,
    /// What to write instead.
    pub suggestion: String,
}

/// Prices as a file has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceFile {
    pub sheet: Sheet,
    /// What may be a mistake, and is none for certain: sizes that the catalogue does not have.
    pub doubts: Vec<String>,
}

/// Reads a price file.
///
/// # Errors
/// At the first line that is wrong: columns, region, name, term, unit, a price that is none, two prices for one thing.
pub fn parse(text: &str, origin: &Origin) -> Result<PriceFile, PriceFileError> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let malformed = |error: csv::Error| malformed(text, &error);
    let header = reader.headers().map_err(malformed)?.clone();
    let first = header.position().map_or(1, |position| line_of(text, position));
    let columns = columns(&header, first)?;
    let mut file = PriceFile::default();
    let mut lines: BTreeMap<(Region, String, Term), u64> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let line = record.position().map_or(0, |position| line_of(text, position));
        let (region, name, term, quote) = price(&record, &columns, line, origin)?;
        if let Some(first) = lines.insert((region, name.clone(), term), line) {
            return Err(PriceFileError {
                line,
                problem: format!("{name} in {region}, {term}, has a price in line {first} already"),
                suggestion: "leave one of the two lines".to_owned(),
            });
        }
        file.doubts.extend(doubt(&name, line));
        file.sheet.insert(region, &name, term, quote);
    }
    if file.sheet.is_empty() {
        return Err(PriceFileError {
            line: first,
            problem: "there is no price in the file".to_owned(),
            suggestion: format!("write one price a line below the header {}", COLUMNS[..NEEDED].join(",")),
        });
    }
    Ok(file)
}

/// Where each column is; none for one that may be left out and is.
type Places = [Option<usize>; COLUMNS.len()];

/// The line of a record. The reader tells where it began to look for one, before empty lines and comments.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.get(start..).unwrap_or_default();
    let is_skipped = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    let skipped = rest.lines().take_while(is_skipped).count();
    position.line() + u64::try_from(skipped).unwrap_or(0)
}

fn columns(header: &csv::StringRecord, line: u64) -> Result<Places, PriceFileError> {
    let wrong = |problem: String, suggestion: String| Err(PriceFileError { line, problem, suggestion });
    let whole = || format!("the header is {}, and listed and meter if wanted", COLUMNS[..NEEDED].join(","));
    let mut places: Places = [None; COLUMNS.len()];
    for (place, name) in header.iter().enumerate() {
        let Some(column) = COLUMNS.iter().position(|known| known.eq_ignore_ascii_case(name)) else {
            let suggestion = match nearest(name, COLUMNS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => whole(),
            };
            return wrong(format!("there is no column `{name}`"), suggestion);
        };
        if places[column].replace(place).is_some() {
            return wrong(format!("the column `{name}` is there twice"), whole());
        }
    }
    match places[..NEEDED].iter().position(Option::is_none) {
        Some(missing) => wrong(format!("the column `{}` is missing", COLUMNS[missing]), whole()),
        None => Ok(places),
    }
}

fn price(
    record: &csv::StringRecord,
    columns: &Places,
    line: u64,
    origin: &Origin,
) -> Result<(Region, String, Term, Quote), PriceFileError> {
    let cell = |column: usize| columns[column].and_then(|place| record.get(place)).unwrap_or_default();
    let optional = |column: usize| Some(cell(column)).filter(|text| !text.is_empty());
    let wrong = |problem: String, suggestion: String| PriceFileError { line, problem, suggestion };
    let region = Region::find(cell(0)).map_err(|error| {
        let suggestion = match error.nearest {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a region as Azure does: eastus".to_owned(),
        };
        wrong(error.to_string(), suggestion)
    })?;
    let name = name(cell(1)).map_err(|(problem, suggestion)| wrong(problem, suggestion))?;
    let known = |all: Vec<&str>| format!("write {}", all.join(", "));
    let term = cell(2).parse().map_err(|()| {
        wrong(format!("there is no term `{}`", cell(2)), known(Term::ALL.map(Term::as_str).into()))
    })?;
    let usd = Usd::price(cell(3)).map_err(|error| {
        wrong(format!("`{}` {error}", cell(3)), "write US dollars, for example 1.008".to_owned())
    })?;
    let unit: Unit = cell(4).parse().map_err(|()| {
        wrong(format!("there is no unit `{}`", cell(4)), known(Unit::ALL.map(Unit::as_str).into()))
    })?;
    if (unit == Unit::GibMonth) != SNAPSHOTS.contains(&name.as_str()) {
        let problem = format!("{name} has no price by {}", unit.as_str());
        return Err(wrong(problem, "snapshots cost by gib-month, all else by hour or month".to_owned()));
    }
    let listed: Option<Date> = optional(5)
        .map(str::parse)
        .transpose()
        .map_err(|_| wrong(format!("`{}` is no date", cell(5)), "write a date as 2026-06-18".to_owned()))?;
    let meter = optional(6).map(str::to_owned);
    Ok((region, name, term, Quote { usd, unit, listed, meter, origin: origin.clone() }))
}

/// The name of a size, a disk tier or snapshots, or what is wrong with it.
fn name(text: &str) -> Result<String, (String, String)> {
    let is_size = |text: &str| {
        text.strip_prefix("Standard_").is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        })
    };
    if is_size(text) || is_disk_tier(text) || SNAPSHOTS.contains(&text) {
        return Ok(text.to_owned());
    }
    let tiers: Vec<String> = all_tiers().collect();
    let names = sizes().iter().map(|size| size.name).chain(tiers.iter().map(String::as_str)).chain(SNAPSHOTS);
    let full = format!("Standard_{text}");
    let near = size(&full).map(|size| size.name).or_else(|| nearest(text, names));
    let suggestion = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write a size (Standard_E16s_v5), a disk (P10 LRS) or `{}`", SNAPSHOTS[0]),
    };
    Err((format!("there is no size or disk `{text}`"), suggestion))
}

/// Azure has sizes that the catalogue has not: those that Karpenter never chooses, and new ones.
fn doubt(name: &str, line: u64) -> Option<String> {
    if !name.starts_with("Standard_") || size(name).is_some() {
        return None;
    }
    let near = nearest(name, sizes().iter().map(|size| size.name));
    let meant = near.map_or_else(String::new, |near| format!(", did you mean {near}?"));
    Some(format!("line {line}: {name} is no size that Node Auto Provisioning chooses{meant}"))
}

fn malformed(text: &str, error: &csv::Error) -> PriceFileError {
    let line = error.position().map_or(1, |position| line_of(text, position));
    let (problem, suggestion) = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => (
            format!("it has {len} columns, the header has {expected_len}"),
            "put a cell in quotes where it holds a comma".to_owned(),
        ),
        csv::ErrorKind::Utf8 { .. } => {
            ("it is not UTF-8 text".to_owned(), "save the file as UTF-8".to_owned())
        }
        _ => (error.to_string(), "write comma-separated values".to_owned()),
    };
    PriceFileError { line, problem, suggestion }
}

/// The prices as a file, with all columns, by region, name and term.
#[must_use]
pub fn write(sheet: &Sheet) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = std::iter::once(COLUMNS.map(str::to_owned));
    let rows = sheet.iter().map(|(region, name, term, quote)| {
        [
            region.name().to_owned(),
            name.to_owned(),
            term.as_str().to_owned(),
            quote.usd.plain(),
            quote.unit.as_str().to_owned(),
            quote.listed.map(|date| date.to_string()).unwrap_or_default(),
            quote.meter.clone().unwrap_or_default(),
        ]
    });
    for row in header.chain(rows) {
        // Writing to memory does not fail.
        let _ = writer.write_record(row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "region,name,term,usd,unit\n";

    fn read(text: &str) -> Result<PriceFile, PriceFileError> {
        parse(text, &Origin::File("own.csv".to_owned()))
    }

    fn of(sheet: &Sheet, name: &str, term: Term) -> Option<(String, Unit)> {
        let region = Region::find("eastus").unwrap();
        sheet.get(region, name, term).map(|quote| (format!("{:.6}", quote.usd), quote.unit))
    }

    #[test]
    fn a_file_is_read_in_any_order_of_columns() {
        let file = read(
            "\u{feff}# negotiated, see the contract\n\
             unit, usd, name, region, term, listed\n\
             hour, 0.75, Standard_E16s_v5, eastus, on-demand, 2026-11-01\n\
             # a comment\n\
             month,19.71,P10 LRS,eastus,on-demand,\n\
             gib-month,0.05,Snapshots LRS,eastus,on-demand,\n",
        )
        .unwrap();
        assert_eq!(file.doubts, [""; 0]);
        assert_eq!(
            of(&file.sheet, "Standard_E16s_v5", Term::OnDemand),
            Some(("$0.750000".to_owned(), Unit::Hour))
        );
        assert_eq!(of(&file.sheet, "P10 LRS", Term::OnDemand), Some(("$19.710000".to_owned(), Unit::Month)));
        let (_, _, _, quote) = file.sheet.iter().find(|(_, name, ..)| *name == "Standard_E16s_v5").unwrap();
        assert_eq!(quote.listed.unwrap().to_string(), "2026-11-01");
        assert_eq!(quote.origin, Origin::File("own.csv".to_owned()));
    }

    #[test]
    fn what_was_written_is_read_again() {
        let mut sheet = Sheet::default();
        let quote = |usd: &str, unit, meter: &str| Quote {
            usd: usd.parse().unwrap(),
            unit,
            listed: "2026-11-22".parse().ok(),
            meter: Some(meter.to_owned()),
            origin: Origin::Azure,
        };
        let (east, west) = (Region::find("eastus").unwrap(), Region::find("westeurope").unwrap());
        sheet.insert(
            east,
            "Standard_E16s_v5",
            Term::Spot,
            quote("0.19404", Unit::Hour, "E16s v5 Spot, \"Linux\""),
        );
        sheet.insert(
            west,
            "Standard_E16s_v5",
            Term::ReservedThreeYears,
            quote("278.0278", Unit::Month, "E16s v5"),
        );
        sheet.insert(west, "Snapshots ZRS", Term::OnDemand, quote("0.05", Unit::GibMonth, "ZRS Snapshots"));
        let text = write(&sheet);
        assert!(
            text.starts_with("region,name,term,usd,unit,listed,meter\neastus,Standard_E16s_v5,spot,0.19404,"),
            "{text}"
        );
        assert_eq!(parse(&text, &Origin::Azure).unwrap().sheet, sheet);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_to_write() {
        let line = |line: &str| format!("{HEADER}eastus,Standard_E8s_v5,on-demand,0.5,hour\n{line}\n");
        for (text, at, problem, suggestion) in [
            (
                "region,name,term,usd\n".to_owned(),
                1,
                "the column `unit` is missing",
                "region,name,term,usd,unit",
            ),
            ("region,nme,term,usd,unit\n".to_owned(), 1, "there is no column `nme`", "did you mean `name`?"),
            (
                "region,name,term,usd,unit,eur\n".to_owned(),
                1,
                "there is no column `eur`",
                "the header is region",
            ),
            ("region,name,term,usd,unit,usd\n".to_owned(), 1, "`usd` is there twice", "the header is region"),
            (HEADER.to_owned(), 1, "no price in the file", "one price a line"),
            (String::new(), 1, "the column `region` is missing", "the header is"),
            (
                line("westeurop,Standard_E8s_v5,spot,1,hour"),
                3,
                "no region `westeurop`",
                "did you mean `westeurope`?",
            ),
            (line("mars,Standard_E8s_v5,spot,1,hour"), 3, "there is no region `mars`", "as Azure does"),
            (line("eastus,E8s_v5,spot,1,hour"), 3, "no size or disk `E8s_v5`", "did you mean"),
            (line("eastus,P5 LRS,on-demand,1,month"), 3, "no size or disk `P5 LRS`", "did you mean"),
            (
                line("eastus,Standard_E8s_v5,reserved,1,hour"),
                3,
                "no term `reserved`",
                "on-demand, spot, reserved-1y",
            ),
            (line("eastus,Standard_E8s_v5,spot,-1,hour"), 3, "`-1` is negative", "write US dollars"),
            (line("eastus,Standard_E8s_v5,spot,NaN,hour"), 3, "`NaN` is not a number", "write US dollars"),
            (line("eastus,Standard_E8s_v5,spot,,hour"), 3, "`` is not a number", "write US dollars"),
            (line("eastus,Standard_E8s_v5,spot,0,hour"), 3, "leave out the line", "write US dollars"),
            (line("eastus,Standard_E8s_v5,spot,2e6,hour"), 3, "more than 1000000", "write US dollars"),
            (line("eastus,Standard_E8s_v5,spot,1,year"), 3, "no unit `year`", "hour, month"),
            (line("eastus,Standard_E8s_v5,spot,1,gib-month"), 3, "no price by gib-month", "snapshots cost"),
            (line("eastus,Snapshots LRS,on-demand,1,month"), 3, "no price by month", "snapshots cost"),
            (line("eastus,Standard_E8s_v5,spot,1,hour,x"), 3, "has 6 columns, the header has 5", "in quotes"),
            (
                line("\n\neastus,Standard_E8s_v5,on-demand,1,hour"),
                5,
                "has a price in line 2 already",
                "leave one",
            ),
        ] {
            let error = read(&text).unwrap_err();
            assert_eq!(error.line, at, "{text}: {error}");
            assert!(error.problem.contains(problem), "{text}: {error}");
            assert!(error.suggestion.contains(suggestion), "{text}: {}", error.suggestion);
        }
        let error = read("region,name,term,usd,unit,listed\neastus,P1 LRS,on-demand,1,month,yesterday\n")
            .unwrap_err();
        assert_eq!(error.to_string(), "line 2: `yesterday` is no date");
    }

    #[test]
    fn a_size_that_is_not_known_is_doubted_and_kept() {
        let file = read(&format!("{HEADER}eastus,Standard_B4ms,on-demand,0.166,hour\n")).unwrap();
        assert!(file.doubts[0].starts_with("line 2: Standard_B4ms is no size"), "{:?}", file.doubts);
        assert!(of(&file.sheet, "Standard_B4ms", Term::OnDemand).is_some());
        let file = read(&format!("{HEADER}eastus,Standard_E16s_v55,on-demand,0.166,hour\n")).unwrap();
        assert!(file.doubts[0].contains("did you mean Standard_E16"), "{:?}", file.doubts);
    }
}
