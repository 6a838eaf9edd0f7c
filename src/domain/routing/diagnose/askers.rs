//! Who did not ask for itself, and who did in its stead.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{ASKED_FROM, BESIDE};
use super::{Asker, Askers, Diagnosis, Row, Via, nodes_in_short};
use crate::domain::names::NodeName;

const EXEC_REMEDY: &str = "Allow exec into the shards: `create pods/exec`; the image needs a shell and one of python3, curl, \
                           bash, wget, nc";
const PROBE_REMEDY: &str = "Allow a probe: `create`, `watch`, `delete` pods and `get` pods/log, and an image that the nodes can \
                            pull, --probe-image";
const EITHER_REMEDY: &str = "Allow exec into the shards: `create pods/exec`; the image needs a shell and one of python3, curl, \
                             bash, wget, nc. Or allow a probe: `create`, `watch`, `delete` pods and `get` pods/log, and an \
                             image that the nodes can pull, --probe-image";

impl Diagnosis<'_> {
    pub(super) fn askers(&mut self) {
        let mut reasons: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for (asker, row) in &self.survey.rows {
            if let (Asker::Shard(shard), Via::PortForward { because }) = (asker, &row.via) {
                let because = format!("asked through port-forward, so the network was not tested: {because}");
                reasons.entry(because).or_default().insert(*shard);
            }
        }
        for (shard, reason) in &self.survey.mute {
            reasons.entry(format!("nobody could ask from it: {reason}")).or_default().insert(*shard);
        }
        for (reason, shards) in reasons {
            let lacks_probe = |shard: &u32| {
                self.survey.node(*shard).is_some_and(|node| self.survey.no_probe.contains_key(node))
            };
            let remedy = match (self.survey.askers, shards.iter().any(lacks_probe)) {
                (Askers::Probes, _) => PROBE_REMEDY,
                (_, true) => EITHER_REMEDY,
                (_, false) => EXEC_REMEDY,
            };
            self.find(ASKED_FROM, format!("pod/{}", self.pods(&shards)), reason, remedy);
        }
        self.cut_short();
        self.without_probe();
        self.stand_ins();
    }

    /// Who was kept from asking everything.
    fn cut_short(&mut self) {
        let is_cut = |(_, row): &(&Asker, &Row)| row.unanswered > 0;
        let (askers, unanswered): (BTreeSet<&Asker>, Vec<u32>) =
            self.survey.rows.iter().filter(is_cut).map(|(asker, row)| (asker, row.unanswered)).unzip();
        if askers.is_empty() {
            return;
        }
        let sessions = if askers.len() == 1 { "its session ended" } else { "their sessions ended" };
        let questions = match unanswered.iter().sum() {
            1 => "one question was".to_owned(),
            count => format!("{count} questions were"),
        };
        self.find(
            ASKED_FROM,
            self.objects(&askers),
            format!("{sessions} before {questions} answered"),
            "Ask again. If it stays, see what ends the session: a container that starts again, a limit of its memory or its \
             processes, a proxy before the API server that cuts connections",
        );
    }

    /// Nodes whose shards asked, and the probe that was to ask beside them did not.
    fn without_probe(&mut self) {
        let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (node, reason) in &self.survey.no_probe {
            // Where a shard did not ask either, that is told of it.
            if self.asks_itself(node) {
                reasons.entry(reason).or_default().push(format!("node/{node}"));
            }
        }
        for (reason, nodes) in reasons {
            let evidence = format!("no probe asks from there: {reason}");
            self.find(ASKED_FROM, nodes.join(", "), evidence, PROBE_REMEDY);
        }
    }

    /// Whether each shard on this node asked over the network.
    fn asks_itself(&self, node: &NodeName) -> bool {
        let shards = self.survey.places.iter().filter(|(_, place)| place.node.as_ref() == Some(node));
        let row = |shard: &u32| self.survey.rows.get(&Asker::Shard(*shard));
        let mut rows = shards.map(|(shard, _)| row(shard));
        rows.all(|row| row.is_some_and(|row| matches!(row.via, Via::Inside { .. })))
    }

    /// Shards in whose stead a probe asked.
    fn stand_ins(&mut self) {
        let mut reasons: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for (shard, reason) in &self.survey.stand_ins {
            reasons.entry(reason).or_default().insert(*shard);
        }
        for (reason, shards) in reasons {
            let nodes: BTreeSet<&NodeName> =
                shards.iter().filter_map(|shard| self.survey.node(*shard)).collect();
            let nodes: Vec<&NodeName> = nodes.into_iter().collect();
            let (probes, their) = match (nodes.len(), shards.len()) {
                (1, 1) => ("a probe", "its"),
                (1, _) => ("a probe", "their"),
                _ => ("probes", "their"),
            };
            let evidence = format!("{reason}; {probes} on {} asked in {their} stead", nodes_in_short(&nodes));
            self.find(BESIDE, format!("pod/{}", self.pods(&shards)), evidence, EXEC_REMEDY);
        }
    }
}
