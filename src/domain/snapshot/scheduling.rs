//! Kubernetes' own rules of which pod goes where: tolerations, label expressions, spread.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    pub key: String,
    pub value: String,
    pub effect: String,
}

/// A toleration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toleration {
    pub key: Option<String>,
    /// `Exists` or `Equal`.
    pub operator: String,
    pub value: Option<String>,
    /// None tolerates every effect.
    pub effect: Option<String>,
}

/// One alternative of what a node must be: all expressions together.
pub type NodeTerm = Vec<NodeExpression>;

/// One expression over a node's labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeExpression {
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`, `Gte` or `Lte`.
    pub operator: String,
    pub values: Vec<String>,
}

/// A topology spread constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpreadConstraint {
    pub topology_key: String,
    pub max_skew: i32,
    /// `DoNotSchedule` or `ScheduleAnyway`.
    pub when_unsatisfiable: String,
    /// Whether it counts the template's own pods.
    pub selects_own: bool,
    /// Whether it sets what changes how pods are counted: `minDomains`, `matchLabelKeys`, a node inclusion policy.
    pub has_options: bool,
}

/// A required pod anti-affinity term: pods that it selects are never in the same domain as the pod that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AntiAffinity {
    pub topology_key: String,
    /// Whether it selects the template's own pods by plain labels, in their own namespace.
    pub selects_own: bool,
}

impl Toleration {
    /// Kubernetes' rule: key, value and effect match, and what is left out matches anything.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let key = self.key.as_deref().unwrap_or_default();
        if self.effect.as_ref().is_some_and(|effect| !effect.is_empty() && *effect != taint.effect) {
            return false;
        }
        if !key.is_empty() && key != taint.key {
            return false;
        }
        match self.operator.as_str() {
            "Exists" => true,
            _ => !key.is_empty() && self.value.as_deref().unwrap_or_default() == taint.value,
        }
    }
}

impl NodeExpression {
    /// Kubernetes' rule for one expression against a label's value, or against its absence.
    #[must_use]
    pub fn matches(&self, value: Option<&str>) -> bool {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
        let bound = number(self.values.first().map(String::as_str));
        let compare = |holds: fn(i64, i64) -> bool| match (number(value), bound) {
            (Some(value), Some(bound)) => holds(value, bound),
            _ => false,
        };
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.iter().any(|one| one == value)),
            "NotIn" => value.is_none_or(|value| self.values.iter().all(|one| one != value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => compare(|value, bound| value > bound),
            "Lt" => compare(|value, bound| value < bound),
            "Gte" => compare(|value, bound| value >= bound),
            "Lte" => compare(|value, bound| value <= bound),
            _ => false,
        }
    }
}

/// Whether labels satisfy one of the alternatives; no alternatives are satisfied by anything.
#[must_use]
pub fn any_term_matches(terms: &[NodeTerm], labels: &BTreeMap<String, String>) -> bool {
    terms.is_empty()
        || terms.iter().any(|term| {
            term.iter().all(|expression| expression.matches(labels.get(&expression.key).map(String::as_str)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::NodePoolName;
    use crate::domain::snapshot::{NODE_POOL_LABEL, NodePool, PodTemplate};

    fn expression(key: &str, operator: &str, values: &[&str]) -> NodeExpression {
        NodeExpression {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: values.iter().map(ToString::to_string).collect(),
        }
    }

    fn taint(key: &str, value: &str, effect: &str) -> Taint {
        Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() }
    }

    #[test]
    fn tolerations_follow_kubernetes() {
        let reserved = taint("biometric", "reserved", "NoSchedule");
        let toleration = |key: &str, operator: &str, value: &str, effect: &str| Toleration {
            key: Some(key.to_owned()),
            operator: operator.to_owned(),
            value: Some(value.to_owned()),
            effect: Some(effect.to_owned()),
        };
        assert!(toleration("biometric", "Equal", "reserved", "NoSchedule").tolerates(&reserved));
        assert!(toleration("biometric", "Equal", "reserved", "").tolerates(&reserved));
        assert!(toleration("biometric", "Exists", "", "NoSchedule").tolerates(&reserved));
        assert!(toleration("", "Exists", "", "").tolerates(&reserved));
        assert!(!toleration("biometric", "Equal", "other", "NoSchedule").tolerates(&reserved));
        assert!(!toleration("biometric", "Equal", "reserved", "NoExecute").tolerates(&reserved));
        assert!(!toleration("", "Equal", "reserved", "").tolerates(&reserved));
    }

    #[test]
    fn expressions_follow_kubernetes() {
        for (operator, values, value, expected) in [
            ("In", &["a", "b"][..], Some("b"), true),
            ("In", &["a"], None, false),
            ("NotIn", &["a"], None, true),
            ("NotIn", &["a"], Some("a"), false),
            ("Exists", &[], Some(""), true),
            ("DoesNotExist", &[], Some(""), false),
            ("Gt", &["7"], Some("8"), true),
            ("Gt", &["8"], Some("8"), false),
            ("Lte", &["8"], Some("8"), true),
            ("Lt", &["8"], Some("many"), false),
        ] {
            assert_eq!(
                expression("k", operator, values).matches(value),
                expected,
                "{operator} {values:?} {value:?}"
            );
        }
    }

    #[test]
    fn a_template_fits_the_pools_that_its_affinity_and_tolerations_allow() {
        let stable = NodePool {
            name: NodePoolName::new("stable"),
            labels: BTreeMap::from([("nodepool".to_owned(), "biometric-stable".to_owned())]),
            taints: vec![taint("biometric", "reserved", "NoSchedule")],
            requirements: vec![expression("node.kubernetes.io/instance-type", "In", &["Standard_E16s_v5"])],
            ..NodePool::default()
        };
        let mut template = PodTemplate::default();
        assert!(!template.can_be_placed_on(&stable), "the taint is not tolerated");
        template.tolerations = vec![Toleration { operator: "Exists".to_owned(), ..Toleration::default() }];
        assert!(template.can_be_placed_on(&stable));
        for (term, expected) in [
            (expression(NODE_POOL_LABEL, "In", &["stable"]), true),
            (expression(NODE_POOL_LABEL, "In", &["explore"]), false),
            (expression("nodepool", "In", &["biometric-stable"]), true),
            (expression("node.kubernetes.io/instance-type", "In", &["Standard_E8s_v5"]), false),
            (expression("topology.kubernetes.io/zone", "In", &["eastus-1"]), true),
            (expression("example.com/unheard-of", "Exists", &[]), false),
        ] {
            template.node_terms = vec![vec![term.clone()]];
            assert_eq!(template.can_be_placed_on(&stable), expected, "{term:?}");
        }
        assert_eq!(stable.pinned_instance_type(), Some("Standard_E16s_v5"));
    }
}
