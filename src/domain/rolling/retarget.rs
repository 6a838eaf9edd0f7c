//! A template that is to be placed on another node pool: which fields change, and to what.

use serde_json::{Map, Value, json};

use crate::domain::snapshot::{NODE_POOL_LABEL, NodePool, Taint, Toleration};

/// The template with its node affinity and tolerations made for `pool`; all else stays as it is.
///
/// Whatever the template required of nodes beside their pool stays required. Tolerations are only added: one too many
/// is harmless where the affinity names the pool.
#[must_use]
pub fn retarget(template: &Value, pool: &NodePool) -> Value {
    let mut template = template.clone();
    let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) else { return template };
    if let Some(selector) = spec.get_mut("nodeSelector").and_then(Value::as_object_mut) {
        selector.remove(NODE_POOL_LABEL);
    }
    require_pool(spec, pool.name.as_str());
    tolerate(spec, &pool.taints);
    template
}

fn require_pool(spec: &mut Map<String, Value>, pool: &str) {
    let this_pool = json!({"key": NODE_POOL_LABEL, "operator": "In", "values": [pool]});
    let affinity = spec.entry("affinity").or_insert_with(|| json!({}));
    let mut terms = affinity
        .pointer("/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms")
        .and_then(Value::as_array)
        .filter(|terms| !terms.is_empty())
        .cloned()
        .unwrap_or_else(|| vec![json!({})]);
    for term in &mut terms {
        let others = term.get("matchExpressions").and_then(Value::as_array).cloned().unwrap_or_default();
        let others = others.into_iter().filter(|one| one.get("key") != Some(&json!(NODE_POOL_LABEL)));
        term["matchExpressions"] = others.chain([this_pool.clone()]).collect();
    }
    // Alternatives that differed in their pool only are one now.
    terms.dedup();
    let required = json!({"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}
    }});
    json_patch::merge(affinity, &required);
}

fn tolerate(spec: &mut Map<String, Value>, taints: &[Taint]) {
    let present = spec.get("tolerations").and_then(Value::as_array).cloned().unwrap_or_default();
    let known: Vec<Toleration> = present.iter().map(toleration).collect();
    let missing = taints
        .iter()
        .filter(|taint| taint.effect != "PreferNoSchedule")
        .filter(|taint| !known.iter().any(|toleration| toleration.tolerates(taint)))
        .map(|taint| match taint.value.as_str() {
            "" => json!({"key": taint.key, "operator": "Exists", "effect": taint.effect}),
            value => {
                json!({"key": taint.key, "operator": "Equal", "value": value, "effect": taint.effect})
            }
        });
    let all: Vec<Value> = present.iter().cloned().chain(missing).collect();
    if !all.is_empty() {
        spec.insert("tolerations".to_owned(), Value::Array(all));
    }
}

fn toleration(value: &Value) -> Toleration {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Toleration {
        key: text("key"),
        operator: text("operator").unwrap_or_else(|| "Equal".to_owned()),
        value: text("value"),
        effect: text("effect"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::NodePoolName;

    fn stable() -> NodePool {
        let taint = |key: &str, value: &str, effect: &str| Taint {
            key: key.to_owned(),
            value: value.to_owned(),
            effect: effect.to_owned(),
        };
        NodePool {
            name: NodePoolName::new("stable"),
            taints: vec![taint("shard", "reserved", "NoSchedule"), taint("soft", "", "PreferNoSchedule")],
            ..NodePool::default()
        }
    }

    fn terms(template: &Value) -> &Value {
        &template["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    }

    #[test]
    fn a_template_without_rules_gets_the_pools() {
        let after = retarget(&json!({"spec": {"containers": []}}), &stable());
        let pool = json!({"key": NODE_POOL_LABEL, "operator": "In", "values": ["stable"]});
        assert_eq!(terms(&after), &json!([{"matchExpressions": [pool]}]));
        let toleration =
            json!({"key": "shard", "operator": "Equal", "value": "reserved", "effect": "NoSchedule"});
        assert_eq!(after["spec"]["tolerations"], json!([toleration]));
        assert_eq!(retarget(&after, &stable()), after);
    }

    #[test]
    fn only_the_pool_is_another() {
        let zone = json!({"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["1"]});
        let pool = |name: &str| json!({"key": NODE_POOL_LABEL, "operator": "In", "values": [name]});
        let before = json!({"spec": {
            "nodeSelector": {NODE_POOL_LABEL: "explore", "disk": "ssd"},
            "affinity": {
                "podAntiAffinity": {"x": 1},
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [pool("explore"), zone]},
                    {"matchExpressions": [pool("other"), zone]},
                ]}},
            },
            "tolerations": [{"operator": "Exists"}],
        }});
        let after = retarget(&before, &stable());
        assert_eq!(terms(&after), &json!([{"matchExpressions": [zone, pool("stable")]}]));
        assert_eq!(after["spec"]["nodeSelector"], json!({"disk": "ssd"}));
        assert_eq!(after["spec"]["affinity"]["podAntiAffinity"], json!({"x": 1}));
        assert_eq!(after["spec"]["tolerations"], json!([{"operator": "Exists"}]));
    }
}
