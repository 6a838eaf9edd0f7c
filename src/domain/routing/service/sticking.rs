//! ClientIP affinity: each source stays with one shard, so what a single one sees says nothing of how requests are spread.

use std::collections::BTreeSet;

use super::checks::{JUDGED, SPREAD, STICKS};
use super::{FALSE_ALARMS, Judge, Source, Spread, Tally, fit};

/// Sources that stay with a shard each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sticking {
    /// Sources with an answer.
    pub sources: usize,
    /// Those that stay with one shard.
    pub sticking: usize,
    /// Shards that they stay with, and how many chance gives them in the mean.
    pub shards: usize,
    pub expected: f64,
}

impl Judge<'_> {
    /// Under ClientIP affinity: whether each source stays with one shard, and how many shards they stay with.
    pub(super) fn sticking(&mut self) -> Spread {
        let sources: Vec<(&Source, Tally)> =
            self.tallies.iter().map(|(source, tally)| (*source, tally.clone())).collect();
        let sources: Vec<(&Source, Tally)> =
            sources.into_iter().filter(|(_, tally)| !tally.shards.is_empty()).collect();
        // One that is made anew takes its sources' memory with it.
        let is_known =
            |tally: &Tally| !tally.shards.keys().any(|shard| self.client.unsettled.contains(shard));
        let (sticking, moving): (Vec<_>, Vec<_>) =
            sources.iter().partition(|(_, tally)| tally.shards.len() == 1 || !is_known(tally));
        let timeout = self.service.affinity.unwrap_or_default().as_secs();
        let remedy = format!(
            "A source moves when it has not asked for {timeout} s (sessionAffinityConfig.clientIP.timeoutSeconds), or its \
             shard was made anew; else see whether its address is kept on the way, and kube-proxy on its node"
        );
        let answers = |tally: &Tally| {
            let shards = tally.shards.iter().map(|(shard, count)| (self.survey.pod_name(*shard), count));
            shards.map(|(pod, count)| format!("{pod} ({count})")).collect::<Vec<_>>().join(", ")
        };
        let moving: Vec<(String, String)> =
            moving.iter().map(|(source, tally)| (source.object(), answers(tally))).collect();
        if moving.len() > 1 && moving.len() * 2 > sources.len() {
            let (name, answers) = &moving[0];
            let evidence = format!(
                "{} of {} sources do not stay with one shard; {} is answered by {answers}",
                moving.len(),
                sources.len(),
                name.trim_start_matches("pod/")
            );
            self.find(STICKS, self.object(), evidence, remedy);
        } else {
            for (name, answers) in &moving {
                let evidence =
                    format!("it does not stay with one shard of {}: {answers} answer", self.service.name);
                self.find(STICKS, name.clone(), evidence, remedy.clone());
            }
        }
        let met: BTreeSet<u32> =
            sticking.iter().flat_map(|(_, tally)| tally.shards.keys().copied()).collect();
        let ready = self.served().filter_map(|endpoint| self.shard_of(endpoint)).collect::<BTreeSet<u32>>();
        let shards = if self.service.endpoints.is_ok() { ready.len() } else { self.ready().len() };
        let (p, expected) = fit::distinct(met.len(), sticking.len(), shards.max(1));
        let found =
            Sticking { sources: sources.len(), sticking: sticking.len(), shards: met.len(), expected };
        let (object, one) = (self.object(), sources.len() == 1);
        let has_bound = !self.service.is_local && self.service.prefers.is_none();
        if has_bound && !one && p < FALSE_ALARMS {
            let evidence = format!(
                "{} sources stay with {} of {shards} shards, where chance gives them {expected:.1}",
                found.sticking, found.shards
            );
            let remedy = "See whether the address of each source is kept on the way: what goes through one gateway or is \
                          masqueraded counts as one source";
            self.find(SPREAD, object, evidence, remedy);
        } else if shards > 1 {
            let evidence = match one {
                true => "under ClientIP affinity one source stays with one shard: how requests are spread cannot be judged \
                         from one source"
                    .to_owned(),
                false => format!(
                    "under ClientIP affinity the spread of requests cannot be judged from one source; {} sources stay with \
                     {} of {shards} shards, and chance gives them {expected:.1}",
                    found.sticking, found.shards
                ),
            };
            let remedy = "Set sessionAffinity to None unless clients rely on it; what real clients get depends on how many \
                          addresses they have";
            self.find(JUDGED, object, evidence, remedy);
        }
        Spread::Sticking(found)
    }
}
