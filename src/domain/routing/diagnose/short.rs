//! Short names: what peers use that leave it to /etc/resolv.conf to complete them.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{COMPARED, SHORT};
use super::names::is_silent;
use super::{Answer, Asker, Diagnosis, Leads, Outcome, Resolver, Via};
use crate::domain::snapshot::DnsPolicy;

/// Dots of POD.SERVICE, and one more: with less a resolver may not complete it.
const LEAST_NDOTS: u32 = 2;

impl Diagnosis<'_> {
    /// Short names that lead nowhere, or elsewhere, where the full ones lead to the shard.
    pub(super) fn short_names(&mut self) {
        let mut alike: BTreeMap<(Option<&Resolver>, DnsPolicy, &str), BTreeSet<&Asker>> = BTreeMap::new();
        // Of one that resolves no name it is told why.
        for asker in self.survey.rows.keys().filter(|asker| !self.discounted.contains(asker)) {
            if let Some(what) = self.short_name(asker) {
                let key = (self.resolver(asker), self.dns_policy(asker), what);
                alike.entry(key).or_default().insert(asker);
            }
        }
        for ((resolver, policy, what), askers) in alike {
            let conf = resolver.map_or_else(String::new, |resolver| {
                format!("; /etc/resolv.conf there {}, ndots {}", resolver.in_words(), resolver.ndots)
            });
            let evidence = format!("in {} {what}{conf}", self.names_of(&askers));
            let is_low = |resolver: &Resolver| self.is_of_cluster(resolver) && resolver.ndots < LEAST_NDOTS;
            let remedy = match resolver.is_some_and(is_low) {
                true => "Set the option ndots in dnsConfig of the template to 5, as Kubernetes does: with less some resolvers \
                         do not complete a name that has a dot"
                    .to_owned(),
                false => self.set_up(policy),
            };
            let remedy = format!("{remedy}. Or let the shards use full names");
            self.find(SHORT, self.objects(&askers), evidence, remedy);
        }
    }

    /// What is wrong with the short name that this one asked for, as one may say of several.
    fn short_name(&self, asker: &Asker) -> Option<&'static str> {
        let row = self.survey.rows.get(asker)?;
        let (peer, short) = row.short.as_ref()?;
        let full = row.answers.get(peer)?;
        if matches!(full.outcome, Outcome::Unresolved { .. })
            || self.survey.leads(*peer, full) == Leads::Astray
        {
            return None;
        }
        if let Outcome::Unresolved { reason } = &short.outcome {
            // A name server that does not answer for once says nothing of what completes names.
            let is_complete =
                |resolver: &Resolver| self.is_of_cluster(resolver) && resolver.ndots >= LEAST_NDOTS;
            let is_by_chance = is_silent(reason) && self.resolver(asker).is_none_or(is_complete);
            return (!is_by_chance)
                .then_some("a short name, POD.SERVICE, does not resolve, and the full one does");
        }
        // Some tools tell one address of several: what anybody was told of the full name counts.
        let named = self.survey.addresses_of(*peer);
        let led_to = short.addresses.as_ref().filter(|addresses| !addresses.is_empty() && !named.is_empty());
        let is_astray = led_to.is_some_and(|addresses| addresses.is_disjoint(&named))
            && !self.survey.leads_home(*peer, short);
        is_astray.then_some("a short name, POD.SERVICE, leads elsewhere than the full one")
    }

    /// Who asked and cannot tell where any name led.
    pub(super) fn names_unknown(&mut self) {
        let mut unknown: BTreeSet<&Asker> = BTreeSet::new();
        for (asker, row) in &self.survey.rows {
            let resolves = |answer: &&Answer| !matches!(answer.outcome, Outcome::Unresolved { .. });
            let mut answers = row.answers.values().filter(resolves).peekable();
            let is_inside = matches!(row.via, Via::Inside { .. }) && answers.peek().is_some();
            if is_inside && answers.all(|answer| answer.addresses.is_none()) {
                unknown.insert(asker);
            }
        }
        if !unknown.is_empty() {
            let evidence = format!(
                "from {} nobody can tell: the image has neither getent nor nslookup",
                self.names_of(&unknown)
            );
            self.find(
                COMPARED,
                self.objects(&unknown),
                evidence,
                "An old address shows only in what it does to the answer. Let a probe tell, --from both; or put getent into the \
                 image",
            );
        }
    }
}
