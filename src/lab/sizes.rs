//! The instance types that the lab's Karpenter chooses from: Azure's sizes, as Node Auto Provisioning plans with them.

use serde::Serialize;

use crate::domain::catalogue::{Size, on_demand};
use crate::domain::nap::planned_allocatable;

/// What Karpenter's KWOK provider takes off every node; added here so that what is left is NAP's plan.
const OVERHEAD_CPU_MILLICORES: u64 = 100;
const OVERHEAD_MEMORY_BYTES: u64 = 10 << 20;

/// The region that the lab plays.
const REGION: &str = "eastus";

/// The zones that the lab has machines in.
pub const ZONES: [&str; 3] = ["eastus-1", "eastus-2", "eastus-3"];

/// NAP's default with Azure's overlay network.
const PODS: &str = "250";
/// NAP's default OS disk.
const EPHEMERAL_STORAGE: &str = "128Gi";

/// An instance type in the form that Karpenter's KWOK provider reads.
#[derive(Serialize)]
struct InstanceType {
    name: &'static str,
    architecture: &'static str,
    #[serde(rename = "operatingSystems")]
    operating_systems: [&'static str; 1],
    resources: Resources,
    offerings: Vec<Offering>,
}

#[derive(Serialize)]
struct Resources {
    cpu: String,
    memory: String,
    pods: &'static str,
    #[serde(rename = "ephemeral-storage")]
    ephemeral_storage: &'static str,
}

#[derive(Serialize)]
struct Offering {
    #[serde(rename = "Price")]
    price: f64,
    #[serde(rename = "Available")]
    available: bool,
    #[serde(rename = "Requirements")]
    requirements: Vec<Requirement>,
}

#[derive(Clone, Serialize)]
struct Requirement {
    key: &'static str,
    operator: &'static str,
    values: [String; 1],
}

fn is(key: &'static str, value: impl ToString) -> Requirement {
    Requirement { key, operator: "In", values: [value.to_string()] }
}

/// Karpenter's own JSON for these sizes. Sizes without a price are left out: Karpenter would take them for free.
///
/// # Errors
/// Never in practice: the values are plain.
pub fn instance_types(sizes: &[Size]) -> serde_json::Result<String> {
    let types: Vec<_> = sizes.iter().filter_map(instance_type).collect();
    serde_json::to_string(&types)
}

fn instance_type(size: &Size) -> Option<InstanceType> {
    let price = on_demand(size.name, REGION)?.0;
    let plan = planned_allocatable(size);
    // Every offering says what the size is: that makes these labels known to Karpenter and puts them on the node.
    let labels = [
        is("karpenter.sh/capacity-type", "on-demand"),
        is("topology.kubernetes.io/region", REGION),
        is("karpenter.azure.com/sku-name", size.name),
        is("karpenter.azure.com/sku-family", size.family),
        is("karpenter.azure.com/sku-series", size.series),
        is("karpenter.azure.com/sku-version", size.version),
        is("karpenter.azure.com/sku-cpu", size.vcpus),
        is("karpenter.azure.com/sku-memory", u64::from(size.memory_gib) * 1024),
        is("karpenter.azure.com/sku-storage-premium-capable", size.premium.unwrap_or(false)),
    ];
    let offerings = ZONES.map(|zone| {
        let mut requirements =
            vec![is("topology.kubernetes.io/zone", zone), is("topology.disk.csi.azure.com/zone", zone)];
        requirements.extend(labels.iter().cloned());
        Offering { price, available: true, requirements }
    });
    Some(InstanceType {
        name: size.name,
        architecture: size.architecture.as_str(),
        operating_systems: ["linux"],
        resources: Resources {
            cpu: format!("{}m", plan.cpu_millicores + OVERHEAD_CPU_MILLICORES),
            memory: (plan.memory_bytes + OVERHEAD_MEMORY_BYTES).to_string(),
            pods: PODS,
            ephemeral_storage: EPHEMERAL_STORAGE,
        },
        offerings: offerings.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::catalogue::{size, sizes};

    #[test]
    fn capacity_less_karpenters_overhead_is_naps_plan() {
        let json = instance_types(&[*size("Standard_E8s_v5").unwrap()]).unwrap();
        let types: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(types[0]["name"], "Standard_E8s_v5");
        assert_eq!(types[0]["resources"]["cpu"], "7920m");
        let memory: u64 = types[0]["resources"]["memory"].as_str().unwrap().parse().unwrap();
        let plan = planned_allocatable(size("Standard_E8s_v5").unwrap());
        assert_eq!(memory - (10 << 20), plan.memory_bytes);
    }

    #[test]
    fn every_zone_offers_every_size_with_one_value_per_label() {
        let json = instance_types(sizes()).unwrap();
        let types: Vec<Value> = serde_json::from_str(&json).unwrap();
        assert!(types.len() > 700);
        for kind in &types {
            let offerings = kind["offerings"].as_array().unwrap();
            assert_eq!(offerings.len(), ZONES.len());
            for offering in offerings {
                assert!(offering["Price"].as_f64().unwrap() > 0.0);
                for requirement in offering["Requirements"].as_array().unwrap() {
                    assert_eq!(requirement["values"].as_array().unwrap().len(), 1);
                }
            }
        }
    }

    #[test]
    fn a_size_without_a_price_is_left_out() {
        let unpriced = *sizes().iter().find(|size| on_demand(size.name, REGION).is_none()).unwrap();
        assert_eq!(instance_types(&[unpriced]).unwrap(), "[]");
    }
}
