//! Claims, volumes and their classes.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1 as storage;

use super::workload::selector_terms;
use super::{asked_to_end, named};
use crate::domain::names::{ClaimName, VolumeName};
use crate::domain::snapshot::{Claim, StorageClass, Volume};

pub fn claim(claim: &core::PersistentVolumeClaim) -> Claim {
    let meta = &claim.metadata;
    let spec = claim.spec.clone().unwrap_or_default();
    let status = claim.status.clone().unwrap_or_default();
    Claim {
        name: ClaimName::new(meta.name.clone().unwrap_or_default()),
        phase: status.phase.unwrap_or_else(|| "Pending".to_owned()),
        requested: named(
            spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()),
            "storage",
        ),
        capacity: status.capacity.as_ref().map(|capacity| named(Some(capacity), "storage")),
        storage_class: spec.storage_class_name,
        volume: spec.volume_name.filter(|name| !name.is_empty()).map(VolumeName::new),
        deleted_at: asked_to_end(meta),
    }
}

pub fn volume(volume: &core::PersistentVolume) -> Volume {
    let spec = volume.spec.clone().unwrap_or_default();
    let required = spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
    Volume {
        name: VolumeName::new(volume.metadata.name.clone().unwrap_or_default()),
        node_terms: required.map(selector_terms).unwrap_or_default(),
        reclaim_policy: spec.persistent_volume_reclaim_policy.unwrap_or_else(|| "Retain".to_owned()),
    }
}

pub fn storage_class(class: &storage::StorageClass) -> StorageClass {
    StorageClass {
        name: class.metadata.name.clone().unwrap_or_default(),
        provisioner: class.provisioner.clone(),
        waits_for_first_consumer: class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"),
        // What the API server fills in when it is left out.
        reclaim_policy: class.reclaim_policy.clone().unwrap_or_else(|| "Delete".to_owned()),
        parameters: class.parameters.clone().unwrap_or_default(),
    }
}
