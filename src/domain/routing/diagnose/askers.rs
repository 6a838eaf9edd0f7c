//! Who did not ask for itself, and who did in its stead.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{ASKED_FROM, BESIDE};
use super::{Asker, Diagnosis, Via, in_a_row};
use crate::domain::names::NodeName;

const EXEC_REMEDY: &str = "Allow exec into the shards: `create pods/exec`; the image needs a shell and one of python3, curl, \
                           bash, wget, nc";
const PROBE_REMEDY: &str = "Name an image that the nodes can pull with --probe-image; allow `create`, `list`, `watch` and \
                            `delete` of pods and `get` of pods/log";

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
            self.find(ASKED_FROM, format!("pod/{}", self.pods(&shards)), reason, EXEC_REMEDY);
        }
        self.without_probe();
        self.stand_ins();
    }

    /// Nodes whose shards asked, and no probe did.
    fn without_probe(&mut self) {
        let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (node, reason) in &self.survey.no_probe {
            // Where nobody asked, that is told of the shards.
            if self.asks_itself(node) {
                reasons.entry(reason).or_default().push(format!("node/{node}"));
            }
        }
        for (reason, nodes) in reasons {
            let evidence = format!("no probe asks from there: {reason}");
            self.find(ASKED_FROM, nodes.join(", "), evidence, PROBE_REMEDY);
        }
    }

    /// Whether a shard on this node asked over the network.
    fn asks_itself(&self, node: &NodeName) -> bool {
        self.survey.rows.iter().any(|(asker, row)| {
            matches!((asker, &row.via), (Asker::Shard(_), Via::Inside { .. }))
                && self.survey.node_of(asker) == Some(node)
        })
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
            let evidence = format!("{reason}; {probes} on {} asked in {their} stead", in_a_row(&nodes));
            self.find(BESIDE, format!("pod/{}", self.pods(&shards)), evidence, EXEC_REMEDY);
        }
    }
}
