//! What the script says, line by line.

use std::collections::BTreeMap;

use super::RoutingQuestion;
use crate::domain::routing::{Answer, Reading, Resolver, Row, Via, read_line};

/// Why an image that has a shell cannot ask.
pub(super) const NO_TOOL: &str = "its image has none of python3, curl, bash, wget, nc";

/// Listens to one session.
pub(super) struct Hearing<'a> {
    question: &'a RoutingQuestion,
    tool: Option<String>,
    domain: String,
    resolver: Option<Resolver>,
    answers: BTreeMap<u32, Answer>,
    /// The last line that was none of the script's.
    noise: String,
}

impl<'a> Hearing<'a> {
    pub fn new(question: &'a RoutingQuestion) -> Self {
        Self {
            question,
            tool: None,
            domain: String::new(),
            resolver: None,
            answers: BTreeMap::new(),
            noise: String::new(),
        }
    }

    pub fn hear(&mut self, line: &str) {
        match read_line(line, self.question.identity.as_ref()) {
            Reading::Tool { name, domain } => (self.tool, self.domain) = (Some(name), domain),
            Reading::Resolver(fields) => {
                self.resolver = Resolver::from_fields(&self.domain, fields.each_ref().map(String::as_str));
            }
            Reading::Answer { number, answer } => {
                self.answers.extend(u32::try_from(number).ok().map(|number| (number, answer)));
            }
            Reading::Noise(line) => self.noise = line,
        }
    }

    /// Whether all of so many questions are answered.
    pub fn is_complete(&self, questions: u32) -> bool {
        self.tool.is_some() && self.unanswered(questions) == 0
    }

    fn unanswered(&self, questions: u32) -> u32 {
        questions.saturating_sub(u32::try_from(self.answers.len()).unwrap_or(u32::MAX))
    }

    /// Whether the script has begun.
    pub fn has_begun(&self) -> bool {
        self.tool.is_some()
    }

    /// The last words of whatever spoke instead of the script.
    pub fn noise(&self) -> &str {
        &self.noise
    }

    /// What was told of so many questions, the answers by their numbers; or why it was nothing.
    pub fn told(self, questions: u32) -> Result<Row, String> {
        let unanswered = self.unanswered(questions);
        match self.tool {
            Some(tool) if tool == "none" => Err(NO_TOOL.to_owned()),
            Some(tool) if !self.answers.is_empty() => {
                let (answers, resolver) = (self.answers, self.resolver);
                let via = Via::Inside { tool };
                Ok(Row { via, answers, resolver, short: None, own: BTreeMap::new(), unanswered })
            }
            _ => Err(format!("its session said nothing: {}", self.noise)),
        }
    }
}
