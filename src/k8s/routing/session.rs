//! What the shell of an asker is given: questions, and a script that asks them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::asides::Asides;
use super::{RoutingQuestion, service};
use crate::domain::routing::Survey;

/// The script that asks, and the same for Python.
pub(super) const ROW_SH: &str = include_str!("row.sh");
pub(super) const ROW_PY: &str = include_str!("row.py");
/// How long a session may take beyond its questions: to begin, and to find its tool.
const SESSION_GRACE: Duration = Duration::from_secs(15);

/// How many of so many sessions go on at the same time: as many in the last round as in those before.
pub(super) fn evenly(sessions: usize, at_most: usize) -> usize {
    let rounds = sessions.div_ceil(at_most.max(1));
    sessions.div_ceil(rounds.max(1)).max(1)
}

/// What every session is given.
pub(super) struct Session {
    pub(super) container: Option<String>,
    /// The questions about the shards, in their order, and those about client services.
    shards: Vec<String>,
    clients: Vec<String>,
    /// Those of one asker alone, by its ordinal; of a probe without.
    asides: BTreeMap<Option<u32>, Vec<String>>,
    /// What asks them.
    script: String,
    /// How long it may take.
    pub(super) limit: Duration,
}

impl Session {
    /// `sessions` is how many there are at the same time.
    pub(super) fn new(
        survey: &Survey,
        question: &RoutingQuestion,
        sessions: usize,
        container: Option<String>,
    ) -> Self {
        let clients =
            service::questions(&survey.clients, &survey.workload.namespace, &question.path, survey.replicas);
        let shards: Vec<String> =
            (0..survey.replicas).map(|ordinal| line_about(survey, question, ordinal)).collect();
        let askers = survey.places.keys().copied().map(Some).chain([None]);
        let asides: BTreeMap<Option<u32>, Vec<String>> =
            askers.map(|asker| (asker, Asides::new(survey, asker).lines(survey, question))).collect();
        let most_asides = asides.values().map(Vec::len).max().unwrap_or_default();
        let questions = shards.len() + clients.len() + most_asides;
        let seconds = question.timeout.as_secs().max(1);
        let workers = question.workers.clamp(1, questions.max(1));
        let at_once = sessions.max(1) * workers;
        // So that all workers together ask no more than they may.
        let pause = 1000 * u64::try_from(at_once).unwrap_or(u64::MAX) / u64::from(question.qps.max(1));
        let mut script = String::new();
        let _ = write!(
            script,
            "TIMEOUT={seconds}\nWORKERS={workers}\nPAUSE={pause}\nTOOL=\nDOMAIN={}\nPYTHON={}\n{ROW_SH}",
            quoted(question.domain.as_deref().unwrap_or_default()),
            quoted(ROW_PY),
        );
        let turns = u32::try_from(questions.div_ceil(workers)).unwrap_or(u32::MAX);
        // The name, the question, and whether there was a connection at all, each a second longer than its tool takes.
        let turn = 3 * Duration::from_secs(seconds + 1) + Duration::from_millis(pause);
        Self { container, shards, clients, asides, script, limit: turn.saturating_mul(turns) + SESSION_GRACE }
    }

    /// What the shell of an asker is given; which shard it is, where it is one. Each shard begins with the one after itself,
    /// so that not all ask the first at once.
    pub(super) fn script(&self, own: Option<u32>) -> String {
        let own_and_before = own.map_or(0, |own| own as usize + 1).min(self.shards.len());
        let (before, after) = self.shards.split_at(own_and_before);
        let questions = [after, before, &self.clients, self.asides(own)].concat().join("\n");
        let own = own.map(|own| own.to_string()).unwrap_or_default();
        format!("OWN={own}\nASK={}\n{}", quoted(&questions), self.script)
    }

    fn asides(&self, own: Option<u32>) -> &[String] {
        self.asides.get(&own).map_or(&[], Vec::as_slice)
    }

    /// How many questions that is.
    pub(super) fn questions(&self, own: Option<u32>) -> u32 {
        let questions = self.shards.len() + self.clients.len() + self.asides(own).len();
        u32::try_from(questions).unwrap_or(u32::MAX)
    }
}

/// The question about a shard, as the script takes it.
pub(super) fn line_about(survey: &Survey, question: &RoutingQuestion, ordinal: u32) -> String {
    let (pod, service, namespace) =
        (survey.pod_name(ordinal), &survey.headless.name, &survey.workload.namespace);
    format!("{ordinal} {pod}.{service}.{namespace}.svc.@ {} {}", question.port, question.path)
}

/// A word for a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_round_of_sessions_is_smaller_than_those_before() {
        assert_eq!([0, 1, 10, 32, 33, 100].map(|sessions| evenly(sessions, 32)), [1, 1, 10, 32, 17, 25]);
        assert_eq!(evenly(5, 0), 1);
    }

    #[test]
    fn each_shard_begins_with_the_one_after_itself() {
        let session = Session {
            container: None,
            shards: ["0 a", "1 b", "2 c"].map(str::to_owned).to_vec(),
            clients: vec!["3 d".to_owned()],
            asides: [(Some(2), vec!["4 e".to_owned()])].into(),
            script: "ask".to_owned(),
            limit: Duration::ZERO,
        };
        assert_eq!(session.script(Some(0)), "OWN=0\nASK='1 b\n2 c\n0 a\n3 d'\nask");
        assert_eq!(session.script(Some(2)), "OWN=2\nASK='0 a\n1 b\n2 c\n3 d\n4 e'\nask");
        assert_eq!(session.script(None), "OWN=\nASK='0 a\n1 b\n2 c\n3 d'\nask");
        assert_eq!([None, Some(2)].map(|own| session.questions(own)), [4, 5]);
    }
}
