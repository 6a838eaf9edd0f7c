//! Findings for people: by severity and check, each check with what it expects and what to do about it.

use std::fmt::Display;

use crate::domain::finding::{Finding, Severity};
use crate::domain::names::pods_in_short;
use crate::render::style::Stylesheet;
use crate::render::text::wrap;

/// Lines of one check that are all shown; of more, the first few and a count.
const SHOWN_IN_FULL: usize = 5;
const SHOWN_OF_MORE: usize = 4;
/// Room between columns.
const GAP: usize = 3;
/// The widest severity, and the heading over it.
const SEVERITY_WIDTH: usize = "SEVERITY".len();
/// Column at which a check and its objects start.
pub const INDENT: usize = SEVERITY_WIDTH + GAP;
/// The widest object that evidence stands beside; of a wider one it stands below.
const OBJECT_WIDTH: usize = 24;
/// The same where there is room.
const OBJECT_WIDTH_WITH_ROOM: usize = 40;
/// From this width on there is room.
const ROOMY: usize = 120;
/// Below this width lines are not broken any further.
const NARROWEST: usize = 60;

/// A text in the colour of a severity.
pub fn paint(style: Stylesheet, severity: Severity, text: impl Display) -> String {
    match severity {
        Severity::Error => style.danger(text),
        Severity::Warning => style.warning(text),
        Severity::Info => style.note(text),
    }
}

/// Findings of one check that read the same but for the ordinals of their objects.
struct Line<'a> {
    objects: String,
    evidence: &'a str,
    remedies: Vec<&'a str>,
    count: usize,
}

impl<'a> Line<'a> {
    fn new(objects: String, findings: &[&'a Finding]) -> Self {
        Self {
            objects,
            evidence: findings.first().map_or("", |finding| finding.evidence.as_str()),
            remedies: findings.iter().map(|finding| finding.remedy.as_str()).collect(),
            count: findings.len(),
        }
    }
}

/// The findings of one check, those with the same evidence on one line where it is no longer than `room`.
fn alike(findings: &[Finding], room: Option<usize>) -> Vec<Line<'_>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| group[0].evidence == finding.evidence) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    let mut lines = Vec::new();
    for group in groups {
        let objects = in_short(&group).filter(|text| room.is_none_or(|room| text.chars().count() <= room));
        match objects {
            Some(objects) => lines.push(Line::new(objects, &group)),
            None => {
                lines.extend(group.iter().map(|finding| Line::new(finding.object.clone(), &[*finding])));
            }
        }
    }
    lines
}

/// Objects that differ in nothing but their ordinals, as `pod/shard-{0..4,7}`.
fn in_short(findings: &[&Finding]) -> Option<String> {
    let mut set = None;
    let mut ordinals = Vec::new();
    for finding in findings {
        let (name, ordinal) = finding.object.rsplit_once('-')?;
        if *set.get_or_insert(name) != name {
            return None;
        }
        // Of a name that merely ends in a number, as that of a node, no digit is lost.
        ordinals.push(ordinal.parse().ok().filter(|number: &u32| number.to_string() == ordinal)?);
    }
    ordinals.sort_unstable();
    ordinals.dedup();
    (ordinals.len() == findings.len()).then(|| pods_in_short(set.unwrap_or_default(), &ordinals))
}

/// The findings by check, in their order.
#[must_use]
pub fn groups(findings: &[Finding]) -> Vec<&[Finding]> {
    findings.chunk_by(|a, b| a.check == b.check).collect()
}

/// What is written so far, and how.
pub struct Lines {
    style: Stylesheet,
    width: Option<usize>,
    /// How wide the column of objects is.
    object: usize,
    pub text: String,
}

impl Lines {
    /// Room for these findings, in columns as wide as they need.
    #[must_use]
    pub fn new(findings: &[Finding], style: Stylesheet, width: Option<usize>) -> Self {
        let width = width.map(|width| width.max(NARROWEST));
        let room = width.map(|width| width - INDENT);
        let lines = groups(findings).into_iter().flat_map(|group| alike(group, room));
        let longest = lines.map(|line| line.objects.chars().count()).max();
        let is_roomy = width.is_none_or(|width| width >= ROOMY);
        let widest = if is_roomy { OBJECT_WIDTH_WITH_ROOM } else { OBJECT_WIDTH };
        Self { style, width, object: longest.unwrap_or(0).clamp(OBJECT_WIDTH, widest), text: String::new() }
    }

    /// The heading, and all findings; `meaning` tells what a check expects.
    pub fn findings(&mut self, findings: &[Finding], meaning: fn(&str) -> &'static str) {
        self.heading();
        for group in groups(findings) {
            self.group(group, meaning);
        }
    }

    fn heading(&mut self) {
        let (object, start) = (format!("{:INDENT$}CHECK, OBJECT", "SEVERITY"), self.start());
        self.text.push_str(&format!("{object:start$}EVIDENCE\n"));
    }

    /// Column at which evidence starts.
    fn start(&self) -> usize {
        INDENT + self.object + GAP
    }

    /// A line of a check: what it is of, in a colour, and its name.
    pub fn check(&mut self, label: &str, painted: impl Fn(String) -> String, rest: &str) {
        let label = painted(format!("{label:<SEVERITY_WIDTH$}"));
        self.text.push_str(&format!("{label}{:GAP$}{rest}\n", ""));
    }

    /// Text that may be long, from column `start` on; `first` stands before it on its first line.
    pub fn run(&mut self, first: &str, start: usize, text: &str) {
        let room = self.width.map(|width| width.saturating_sub(start));
        for (index, line) in wrap(text, room).into_iter().enumerate() {
            let before = if index == 0 { first } else { "" };
            let indent = start.saturating_sub(before.chars().count());
            self.text.push_str(&format!("{before}{:indent$}{line}\n", ""));
        }
    }

    fn group(&mut self, findings: &[Finding], meaning: fn(&str) -> &'static str) {
        let Some(first) = findings.first() else { return };
        let style = self.style;
        let expected = format!("(expected: {})", meaning(first.check));
        let length = INDENT + first.check.len() + 1 + expected.len();
        let fits = self.width.is_none_or(|width| length <= width);
        let check = style.value(first.check);
        let beside = if fits { format!("{check} {}", style.note(&expected)) } else { check };
        self.check(first.severity.as_str(), |text| paint(style, first.severity, text), &beside);
        if !fits {
            let room = self.width.map(|width| width.saturating_sub(INDENT));
            for line in wrap(&expected, room) {
                self.text.push_str(&format!("{:INDENT$}{}\n", "", style.note(line)));
            }
        }
        let lines = alike(findings, self.width.map(|width| width - INDENT));
        let shown = if lines.len() > SHOWN_IN_FULL { SHOWN_OF_MORE } else { lines.len() };
        let start = self.start();
        for line in &lines[..shown] {
            let object = format!("{:INDENT$}{}", "", line.objects);
            if line.objects.chars().count() > self.object {
                self.text.push_str(&format!("{object}\n"));
                self.run("", start, line.evidence);
            } else {
                self.run(&object, start, line.evidence);
            }
        }
        if lines.len() > shown {
            let more: usize = lines[shown..].iter().map(|line| line.count).sum();
            let more = format!("+ {more} more, see -o wide");
            self.text.push_str(&format!("{:INDENT$}{}\n", "", style.note(more)));
        }
        let mut told: Vec<&str> = Vec::new();
        for line in &lines[..shown] {
            for remedy in &line.remedies {
                if !told.contains(remedy) {
                    told.push(remedy);
                    self.remedy(remedy);
                }
            }
        }
        self.text.push('\n');
    }

    /// What to do.
    pub fn remedy(&mut self, text: &str) {
        self.run(&format!("{:INDENT$}-> ", ""), INDENT + 3, text);
    }
}
