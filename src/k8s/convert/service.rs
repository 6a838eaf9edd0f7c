//! Services and their endpoints.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;

use crate::domain::names::PodName;
use crate::domain::snapshot::{Endpoint, Service};

/// A service with the endpoints that its slices tell of.
pub fn service(service: &core::Service, slices: &[EndpointSlice]) -> Service {
    let name = service.metadata.name.clone().unwrap_or_default();
    let spec = service.spec.clone().unwrap_or_default();
    let mut endpoints = BTreeMap::new();
    let own = slices.iter().filter(|slice| {
        let labels = slice.metadata.labels.as_ref();
        labels.and_then(|labels| labels.get("kubernetes.io/service-name")) == Some(&name)
    });
    for endpoint in own.flat_map(|slice| slice.endpoints.iter().flatten()) {
        let Some(pod) = endpoint.target_ref.as_ref().and_then(|target| target.name.clone()) else {
            continue;
        };
        let ready = endpoint.conditions.as_ref().and_then(|conditions| conditions.ready);
        let address = endpoint.addresses.first().cloned().unwrap_or_default();
        endpoints.insert(PodName::new(pod), Endpoint { address, is_ready: ready.unwrap_or(true) });
    }
    Service {
        is_headless: spec.cluster_ip.as_deref() == Some("None"),
        selector: spec.selector.unwrap_or_default(),
        publishes_not_ready: spec.publish_not_ready_addresses.unwrap_or(false),
        session_affinity: spec.session_affinity.unwrap_or_else(|| "None".to_owned()),
        ports: spec.ports.iter().flatten().filter_map(|port| u16::try_from(port.port).ok()).collect(),
        endpoints,
        name,
    }
}
