//! What probes alone do not get: they stand beside the shards, and are not the shards.

use std::collections::BTreeSet;

use super::checks::AGREES;
use super::{Asker, Diagnosis, Mark, Pairs};

impl<'a> Diagnosis<'a> {
    /// Probes that resolve no name, or reach nobody, beside shards that do: probes do not carry the labels of the shards,
    /// and network policies may know that. Nothing is wrong with the shards then.
    pub(super) fn lonely_probes(&mut self) {
        for (mark, what, remedy) in [
            (
                Mark::Unresolved,
                ["resolves no name", "resolve no name"],
                "A network policy may let only the shards ask DNS: probes do not carry their labels. What probes say of \
                 the network does not hold for the shards then",
            ),
            (
                Mark::Unreachable,
                ["reaches no shard", "reach no shard"],
                "A network policy may let only the shards in: probes do not carry their labels. What probes say of the \
                 network does not hold for the shards then",
            ),
        ] {
            let (asked, wrong) = (self.asked(), self.with(mark));
            let wholly = Self::wholly(&wrong, &asked, |pair| pair.0);
            let everybody: BTreeSet<&Asker> = asked.iter().map(|pair| pair.0).collect();
            let is_lonely = |asker: &&Asker| {
                let Asker::Probe(node) = asker else { return false };
                let is_beside = |other: &&&Asker| matches!(other, Asker::Shard(shard) if self.survey.node(*shard) == Some(node));
                let mut beside = everybody.iter().filter(is_beside).peekable();
                beside.peek().is_some() && beside.all(|other| !wholly.contains(other))
            };
            let lonely: BTreeSet<&Asker> = wholly.iter().copied().filter(is_lonely).collect();
            if lonely.is_empty() {
                continue;
            }
            let mine: Pairs<'a> = wrong.iter().filter(|pair| lonely.contains(pair.0)).copied().collect();
            let what = what[usize::from(lonely.len() > 1)];
            let evidence =
                format!("{} {what}, and the shards beside do: {}", self.names_of(&lonely), self.words(&mine));
            self.find(AGREES, self.objects(&lonely), evidence, remedy);
            self.explain(&mine);
            self.discount(lonely);
        }
    }
}
