//! What spreads shards or keeps them apart, as Karpenter applies it when it makes machines.

use super::super::snapshot::PodTemplate;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// One field of the template that keeps shards from sharing a machine or a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it stands: `spec.overlay.pod.topologySpreadConstraints[0].maxSkew`.
    pub field: String,
    pub kind: RuleKind,
    /// Whether kube-scheduler, too, holds to it; Karpenter does until that cannot be carried out.
    pub is_required: bool,
}

/// What a rule bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// No more shards than this on a machine. Karpenter takes the emptiest machine for one with no shard, because it can
    /// always make another, so that `maxSkew` over hostnames is a plain bound.
    PerNode(u32),
    /// Zones differ by no more shards than this.
    ZoneSkew(u32),
}

/// The rules of a template that count its own pods; others say nothing about how many shards fit. `pod` is where the pod's
/// spec stands, in a ShardSet `spec.overlay.pod`.
#[must_use]
pub fn rules(template: &PodTemplate, pod: &str) -> Vec<Rule> {
    let spread = template.spread.iter().enumerate().filter(|(_, one)| one.selects_own);
    let spread = spread.filter_map(|(index, one)| {
        let skew = u32::try_from(one.max_skew).unwrap_or(1).max(1);
        let kind = match one.topology_key.as_str() {
            HOSTNAME => RuleKind::PerNode(skew),
            ZONE => RuleKind::ZoneSkew(skew),
            _ => return None,
        };
        let field = format!("{pod}.topologySpreadConstraints[{index}].maxSkew");
        Some(Rule { field, kind, is_required: one.when_unsatisfiable == "DoNotSchedule" })
    });
    let apart = template.anti_affinity.iter().filter(|one| one.selects_own && one.topology_key == HOSTNAME);
    let apart = apart.take(1).map(|_| Rule {
        field: format!("{pod}.affinity.podAntiAffinity"),
        kind: RuleKind::PerNode(1),
        is_required: true,
    });
    spread.chain(apart).collect()
}
