//! What Node Auto Provisioning plans with: the capacity it expects of a size before a node exists; and what a real node
//! of the size is expected to report.
//!
//! The figures of the plan are those of karpenter-provider-azure (`pkg/providers/instancetype/instancetype.go` at
//! 352646f5). A real node nearly always reports more memory than planned; for a node that exists use its
//! `status.allocatable`, never these.

use super::catalogue::Size;
use super::quantity::{Quantity, Resources};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What a node is planned to offer to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocatable {
    pub cpu_millicores: u64,
    pub memory_bytes: u64,
}

impl From<Allocatable> for Resources {
    fn from(of: Allocatable) -> Self {
        let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        Self {
            cpu: Quantity::milli(whole(of.cpu_millicores)),
            memory: Quantity::bytes(whole(of.memory_bytes)),
        }
    }
}

/// What NAP plans that a node of this size offers to pods.
#[must_use]
pub fn planned_allocatable(size: &Size) -> Allocatable {
    planned(size.vcpus, size.memory_gib)
}

/// Pods on a node when neither the node class nor a live node says how many: NAP's default with Azure's overlay network
/// (`pkg/consts/consts.go`).
pub const DEFAULT_MAX_PODS: u32 = 250;

/// What a real node of this size is expected to report on AKS 1.29 or later, with room for `max_pods` pods.
///
/// The kubelet keeps 20 MiB for each of `max_pods` pods and 50 MiB beside, at most a quarter of the memory, and evicts
/// at 100 MiB (AKS documentation, "node resource reservations"). The kernel sees 97.94% of nominal memory in the one
/// sample that AKS documents; it is not measured for other sizes.
#[must_use]
pub fn expected_allocatable(size: &Size, max_pods: u32) -> Allocatable {
    let seen = u64::from(size.memory_gib) * GIB / 10_000 * 9_794;
    let reserved = ((20 * u64::from(max_pods) + 50) * MIB).min(u64::from(size.memory_gib) * GIB / 4);
    Allocatable {
        cpu_millicores: (u64::from(size.vcpus) * 1000).saturating_sub(kube_reserved_cpu(size.vcpus)),
        memory_bytes: seen.saturating_sub(reserved).saturating_sub(100 * MIB),
    }
}

fn planned(vcpus: u32, memory_gib: u32) -> Allocatable {
    let cpu_millicores = u64::from(vcpus) * 1000;
    Allocatable {
        cpu_millicores: cpu_millicores.saturating_sub(kube_reserved_cpu(vcpus)),
        memory_bytes: planned_capacity(memory_gib)
            .saturating_sub(kube_reserved_memory(memory_gib))
            .saturating_sub(EVICTION_THRESHOLD),
    }
}

/// The hard eviction threshold of memory.
const EVICTION_THRESHOLD: u64 = 750 * MIB;

/// Memory that the virtual machine is expected to show: nominal less `VM_MEMORY_OVERHEAD_PERCENT`, by default 7.5%.
#[must_use]
pub fn planned_capacity(memory_gib: u32) -> u64 {
    u64::from(memory_gib) * GIB / 1000 * 925
}

/// CPU kept for the kubelet: 6% of the first core, 4% of the second, 2% of the next two, 1% of the rest.
/// 100m at 2 vCPUs, 140m at 4, 180m at 8, 260m at 16, 740m at 64.
fn kube_reserved_cpu(vcpus: u32) -> u64 {
    tiers(u64::from(vcpus), &[(1, 60), (1, 40), (2, 20), (u64::MAX, 10)])
}

/// Memory kept for the kubelet: 25% of the first 4 GiB, 20% of the next 4, 10% of the next 8, 6% up to 128 GiB, and 2%
/// of the rest. Taken on nominal memory, whatever the version of Kubernetes and the number of pods.
fn kube_reserved_memory(memory_gib: u32) -> u64 {
    tiers(u64::from(memory_gib), &[(4, 25), (4, 20), (8, 10), (112, 6), (u64::MAX, 2)]) * GIB / 100
}

/// The sum over tiers of (units in the tier) x (rate of the tier).
fn tiers(mut units: u64, tiers: &[(u64, u64)]) -> u64 {
    let mut sum = 0;
    for &(width, rate) in tiers {
        let within = units.min(width);
        sum += within * rate;
        units -= within;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::size;

    /// Name, planned CPU in millicores, planned memory in GiB, and how many shards of 4 CPU and 32Gi fit.
    const FIT: [(&str, u64, f64, u64); 7] = [
        ("Standard_E8s_v5", 7_820, 52.99, 1),
        ("Standard_D16s_v5", 15_740, 52.99, 1),
        ("Standard_E16s_v5", 15_740, 108.35, 3),
        ("Standard_E20s_v5", 19_700, 137.31, 4),
        ("Standard_E32s_v5", 31_580, 224.19, 7),
        ("Standard_E48s_v5", 47_420, 340.03, 10),
        ("Standard_E64s_v5", 63_260, 455.87, 14),
    ];

    #[test]
    fn the_plan_is_that_of_nap() {
        for (name, cpu, memory, shards) in FIT {
            let plan = planned_allocatable(size(name).unwrap());
            assert_eq!(plan.cpu_millicores, cpu, "{name}");
            #[expect(clippy::cast_precision_loss, reason = "compared to two decimals")]
            let planned_gib = plan.memory_bytes as f64 / GIB as f64;
            assert!((planned_gib - memory).abs() < 0.006, "{name}: {planned_gib}");
            let fit = (plan.cpu_millicores / 4_000).min(plan.memory_bytes / (32 * GIB));
            assert_eq!(fit, shards, "{name}");
        }
    }

    #[test]
    fn a_real_node_is_expected_to_report_more() {
        // Name, and memory in GiB with room for 250, 110 and 30 pods.
        for (name, memory) in [
            ("Standard_E8s_v5", [57.65, 60.39, 61.95]),
            ("Standard_E16s_v5", [120.33, 123.07, 124.63]),
            ("Standard_E32s_v5", [245.70, 248.44, 250.0]),
            ("Standard_E48s_v5", [371.06, 373.79, 375.36]),
        ] {
            for (max_pods, memory) in [250, 110, 30].into_iter().zip(memory) {
                let expected = expected_allocatable(size(name).unwrap(), max_pods);
                #[expect(clippy::cast_precision_loss, reason = "compared to two decimals")]
                let gib = expected.memory_bytes as f64 / GIB as f64;
                assert!((gib - memory).abs() < 0.02, "{name} with {max_pods} pods: {gib}");
                assert!(expected.memory_bytes > planned_allocatable(size(name).unwrap()).memory_bytes);
            }
        }
    }

    #[test]
    fn cpu_is_reserved_in_steps() {
        let steps = [(2, 100), (4, 140), (8, 180), (16, 260), (20, 300), (32, 420), (48, 580), (64, 740)];
        for (vcpus, reserved) in steps {
            assert_eq!(kube_reserved_cpu(vcpus), reserved, "{vcpus} vCPUs");
        }
    }

    #[test]
    fn a_tiny_size_never_goes_below_zero() {
        assert_eq!(planned(0, 0), Allocatable { cpu_millicores: 0, memory_bytes: 0 });
    }
}
