//! What is wrong with a YAML text, in the words of the person who wrote it.

use std::fmt;

use serde_saphyr::Error;

use super::names::nearest;

/// Why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, counted from 1, where it is known.
    pub line: Option<u64>,
    pub problem: String,
    /// What was most likely meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

/// Says what the parser found, without its Rust words.
#[must_use]
pub fn problem(error: &Error) -> Problem {
    let error = error.without_snippet();
    let mut line = error.location().map(|location| location.line()).filter(|line| *line > 0);
    let mut suggestion = None;
    let meant = |near: Option<&str>| near.map(|near| format!("did you mean `{near}`?"));
    let problem = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            suggestion = meant(nearest(field, expected.iter().copied()));
            format!("there is no field `{field}` here; the fields are {}", expected.join(", "))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            suggestion = meant(nearest(variant, expected.iter().copied()));
            format!("`{variant}` is not known here; it can be {}", expected.join(", "))
        }
        Error::SerdeMissingField { field, .. } => {
            suggestion = Some(format!(
                "add `{field}`; if it is there, check that it is indented like its neighbours, with blanks only"
            ));
            format!("the field `{field}` is missing")
        }
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("the field `{key}` is there twice"),
            None => "a field is there twice".to_owned(),
        },
        Error::MultipleDocuments { .. } => {
            suggestion = Some("split the file at its --- lines".to_owned());
            "a file holds one ShardSet, this one holds more".to_owned()
        }
        Error::Eof { .. } => {
            line = None;
            "the file is empty".to_owned()
        }
        Error::NullIntoString { .. } => "a text is expected here, there is nothing".to_owned(),
        Error::InvalidScalar { ty, .. } => format!("{} is expected here", in_words(ty)),
        Error::Unexpected { expected, .. } => format!("{} is expected here", in_words(expected)),
        other => plain(&other.to_string()),
    };
    Problem { line, problem, suggestion }
}

/// What the parser expected, for people.
fn in_words(expected: &str) -> &str {
    match expected {
        "mapping start" => "a field with its value, such as `name: value`,",
        "sequence start" => "a list",
        "string scalar" => "a single value",
        "bool" => "true or false",
        "f32" | "f64" => "a number",
        integer if integer.starts_with(['i', 'u']) => "a whole number",
        other => other,
    }
}

/// The message without the position, which is said once, in front.
fn plain(message: &str) -> String {
    let end = message.find(" at line ").or_else(|| message.find('\n'));
    let text = end.map_or(message, |end| &message[..end]);
    text.strip_prefix("error: ").unwrap_or(text).trim().to_owned()
}
