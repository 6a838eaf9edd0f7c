//! Reads client services and their endpoints, and what is known of them when all questions have been asked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::Api;
use kube::api::ListParams;

use crate::domain::routing::service::{
    ClientService, Clients, Door, ENDPOINT_DELAY, ServiceEndpoint, ServicePort, ServiceSurvey, Source,
    Target, door,
};
use crate::domain::routing::{Answer, Asker, Mark, Survey};
use crate::domain::snapshot::{Pod, Snapshot, Unknown};
use crate::k8s::client::Cluster;
use crate::k8s::error::RequestError;

/// The label that ties a slice to its service, and the one that says who keeps it.
const SERVICE: &str = "kubernetes.io/service-name";
const KEEPER: &str = "endpointslice.kubernetes.io/managed-by";
/// Who keeps the slices of a service with a selector.
const CONTROLLER: &str = "endpointslice-controller.k8s.io";

/// What there is to ask.
#[derive(Clone, Debug, Default)]
pub struct ClientServices {
    pub clients: Clients,
    /// All services of the namespace that have an address of their own.
    pub names: Vec<String>,
    /// Those that have none.
    pub headless: Vec<String>,
}

impl Cluster {
    /// The client services of a workload, to be asked so often by each source: those that choose its pods and have an
    /// address of their own; or the one of this name, whatever it chooses.
    ///
    /// # Errors
    /// When services cannot be read.
    pub async fn client_services(
        &self,
        snapshot: &Snapshot,
        port: u16,
        requests: u32,
        name: Option<&str>,
    ) -> Result<ClientServices, RequestError> {
        let namespace = snapshot.workload.reference.namespace.as_str();
        let api: Api<core::Service> = Api::namespaced(self.client.clone(), namespace);
        let operation = format!("list services in namespace {namespace}");
        let services = self.list(&operation, &api, ListParams::default()).await?;
        let template = &snapshot.workload.template;
        let declared: Vec<(String, u16)> = template
            .containers
            .iter()
            .flat_map(|container| {
                container.ports.iter().map(|port| (port.name.clone().unwrap_or_default(), port.port))
            })
            .collect();
        let mut found = ClientServices::default();
        let mut asked = Vec::new();
        for service in &services {
            let its_name = service.metadata.name.clone().unwrap_or_default();
            let spec = service.spec.clone().unwrap_or_default();
            if addresses(&spec).is_empty() {
                found.headless.push(its_name);
                continue;
            }
            found.names.push(its_name.clone());
            let selector = spec.selector.as_ref();
            let chooses = selector.is_some_and(|selector| {
                !selector.is_empty()
                    && selector.iter().all(|(key, value)| template.labels.get(key) == Some(value))
            });
            if name.map_or(!chooses, |name| name != its_name) {
                continue;
            }
            match door(&ports(&spec), port, &declared) {
                Door::Leads(port) | Door::Nowhere(port) => asked.push((its_name, spec, port)),
                Door::Elsewhere => found.clients.elsewhere.push(its_name),
            }
        }
        let names: Vec<&str> = asked.iter().map(|(name, ..)| name.as_str()).collect();
        let endpoints = self.endpoints(namespace, &names).await;
        for (name, spec, port) in asked {
            found.clients.surveys.push(ServiceSurvey {
                service: client_service(name, spec, port, endpoints.as_deref()),
                requests,
                answers: BTreeMap::new(),
                unsettled: BTreeSet::new(),
            });
        }
        Ok(found)
    }

    /// Looks up what gives the shards' names addresses that are not the shards', where names lead to such.
    pub(super) async fn look_behind_names(&self, survey: &mut Survey) {
        if survey.marks().all(|(.., mark)| mark != Mark::Several) {
            return;
        }
        // Who may not read them is told without.
        let slices = self.endpoints(&survey.workload.namespace, &[&survey.headless.name]).await;
        survey.headless.slices = slices.iter().flatten().flat_map(behind_names).collect();
    }

    async fn endpoints(&self, namespace: &str, names: &[&str]) -> Result<Vec<EndpointSlice>, Unknown> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let api: Api<EndpointSlice> = Api::namespaced(self.client.clone(), namespace);
        let operation = format!("list the endpoints of services {}", names.join(", "));
        let parameters = ListParams::default().labels(&format!("{SERVICE} in ({})", names.join(",")));
        self.list(&operation, &api, parameters).await.map_err(Unknown::from)
    }

    /// Marks the shards whose readiness or endpoints have changed while questions were asked, or shortly before: nothing is
    /// to be said of them.
    pub(super) async fn settle(&self, survey: &mut Survey, snapshot: &Snapshot, now: &BTreeMap<u32, Pod>) {
        let Survey { clients, workload, places, .. } = survey;
        let names: Vec<&str> = clients.surveys.iter().map(|client| client.service.name.as_str()).collect();
        if names.is_empty() {
            return;
        }
        let slices = self.endpoints(&workload.namespace, &names).await;
        let expected_since = snapshot.taken_at - ENDPOINT_DELAY;
        let is_settled = |shard: u32| {
            let then = snapshot.shards.iter().find(|its| its.ordinal == shard)?.pod.as_ref()?;
            let now = now.get(&shard)?;
            let is_same = then.uid == now.uid && then.is_ready == now.is_ready && now.deleted_at.is_none();
            Some(is_same && now.ready_changed_at.is_none_or(|at| at <= expected_since))
        };
        let moved: BTreeSet<u32> =
            places.keys().copied().filter(|shard| is_settled(*shard) != Some(true)).collect();
        for client in &mut clients.surveys {
            client.unsettled.clone_from(&moved);
            let (Ok(before), Ok(slices)) = (&client.service.endpoints, &slices) else { continue };
            let after = endpoints_of(slices, &client.service.name, &client.service.port);
            for endpoint in before.symmetric_difference(&after) {
                let is_its = |place: &crate::domain::routing::Place| {
                    place.ips.contains(&endpoint.address)
                        || endpoint.pod.as_deref() == Some(place.pod.as_str())
                };
                let shards = places.iter().filter(|(_, place)| is_its(place)).map(|(shard, _)| *shard);
                client.unsettled.extend(shards);
            }
            client.service.endpoints = Ok(before.intersection(&after).cloned().collect());
        }
    }
}

/// The questions to the client services, numbered from `first`, as the script in a shard reads them.
pub(super) fn questions(clients: &Clients, namespace: &str, path: &str, first: u32) -> Vec<String> {
    let each = clients.surveys.iter().flat_map(|client| {
        let service = &client.service;
        let question = format!("{}.{namespace}.svc.@ {} {path}", service.name, service.port.number);
        std::iter::repeat_n(question, client.requests as usize)
    });
    (first..).zip(each).map(|(number, question)| format!("{number} {question}")).collect()
}

/// Takes what a source was answered by the client services, numbered as [`questions`] does.
pub(super) fn hand_out(clients: &mut Clients, source: &Source, first: u32, answers: BTreeMap<u32, Answer>) {
    let bounds = clients.surveys.iter().scan(first, |start, client| {
        let range = *start..*start + client.requests;
        *start = range.end;
        Some(range)
    });
    let mut bounds: Vec<(std::ops::Range<u32>, Vec<Answer>)> =
        bounds.map(|range| (range, Vec::new())).collect();
    for (number, answer) in answers {
        if let Some((_, its)) = bounds.iter_mut().find(|(range, _)| range.contains(&number)) {
            its.push(answer);
        }
    }
    for (client, (_, answers)) in clients.surveys.iter_mut().zip(bounds) {
        if !answers.is_empty() {
            client.answers.insert(source.clone(), answers);
        }
    }
}

/// Who asks, as a source of requests.
pub(super) fn source(survey: &Survey, asker: Asker) -> Source {
    Source { name: survey.name(&asker), node: survey.node_of(&asker).cloned(), asker }
}

fn addresses(spec: &core::ServiceSpec) -> BTreeSet<std::net::IpAddr> {
    let all = spec.cluster_ips.iter().flatten().chain(&spec.cluster_ip);
    all.filter_map(|address| address.parse().ok()).collect()
}

fn ports(spec: &core::ServiceSpec) -> Vec<ServicePort> {
    let tcp = spec.ports.iter().flatten().filter(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP");
    let port = |port: &core::ServicePort| {
        let number = u16::try_from(port.port).ok()?;
        let target = match &port.target_port {
            Some(IntOrString::String(name)) => Target::Name(name.clone()),
            Some(IntOrString::Int(target)) if *target != 0 => Target::Number(u16::try_from(*target).ok()?),
            _ => Target::Number(number),
        };
        Some(ServicePort { name: port.name.clone().unwrap_or_default(), number, target })
    };
    tcp.filter_map(port).collect()
}

fn client_service(
    name: String,
    spec: core::ServiceSpec,
    port: ServicePort,
    slices: Result<&[EndpointSlice], &Unknown>,
) -> ClientService {
    let is_sticky = spec.session_affinity.as_deref() == Some("ClientIP");
    let seconds = spec
        .session_affinity_config
        .as_ref()
        .and_then(|config| config.client_ip.as_ref()?.timeout_seconds)
        .and_then(|seconds| u64::try_from(seconds).ok());
    // Proxies follow the hints of the slices, whatever the service asks for.
    let is_near = slices.map_or(true, |slices| {
        let endpoints = of_service(slices, &name).flat_map(|slice| slice.endpoints.iter().flatten());
        let mut hints = endpoints.filter_map(|endpoint| endpoint.hints.as_ref());
        hints.any(|hints| {
            hints.for_zones.as_ref().is_some_and(|zones| !zones.is_empty())
                || hints.for_nodes.as_ref().is_some_and(|nodes| !nodes.is_empty())
        })
    });
    let preference = match (&spec.traffic_distribution, slices) {
        (Some(preference), _) => Some(format!("trafficDistribution {preference}")),
        (None, Ok(_)) => Some("topology-aware routing".to_owned()),
        (None, Err(_)) => None,
    };
    ClientService {
        addresses: addresses(&spec),
        selector: spec.selector.unwrap_or_default(),
        // What the API server fills in: three hours.
        affinity: is_sticky.then(|| Duration::from_secs(seconds.unwrap_or(10_800))),
        publishes_not_ready: spec.publish_not_ready_addresses.unwrap_or(false),
        is_local: spec.internal_traffic_policy.as_deref() == Some("Local"),
        prefers: preference.filter(|_| is_near),
        endpoints: slices.map(|slices| endpoints_of(slices, &name, &port)).map_err(Clone::clone),
        name,
        port,
    }
}

fn label<'a>(slice: &'a EndpointSlice, key: &str) -> Option<&'a str> {
    slice.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn of_service<'a>(slices: &'a [EndpointSlice], service: &str) -> impl Iterator<Item = &'a EndpointSlice> {
    slices.iter().filter(move |slice| label(slice, SERVICE) == Some(service))
}

/// Hostname and address of each endpoint of a slice, and where that is from.
fn behind_names(slice: &EndpointSlice) -> Vec<((String, IpAddr), String)> {
    let name = slice.metadata.name.clone().unwrap_or_default();
    let keeper = label(slice, KEEPER).unwrap_or("nobody");
    let mut behind = Vec::new();
    for endpoint in slice.endpoints.iter().flatten() {
        let Some(hostname) = &endpoint.hostname else { continue };
        let pod = endpoint.target_ref.as_ref().and_then(|target| target.name.as_ref());
        let what = match pod.filter(|_| keeper == CONTROLLER) {
            Some(pod) => format!("pod {pod} has that hostname"),
            None => format!("EndpointSlice {name}, kept by {keeper}"),
        };
        let addresses = endpoint.addresses.iter().filter_map(|address| address.parse().ok());
        behind.extend(addresses.map(|address| ((hostname.clone(), address), what.clone())));
    }
    behind
}

fn endpoints_of(slices: &[EndpointSlice], service: &str, port: &ServicePort) -> BTreeSet<ServiceEndpoint> {
    let mut endpoints = BTreeSet::new();
    for slice in of_service(slices, service) {
        let its_port = slice
            .ports
            .iter()
            .flatten()
            .find(|its| its.name.as_deref().unwrap_or_default() == port.name)
            .and_then(|its| u16::try_from(its.port?).ok());
        let keeper = label(slice, KEEPER).unwrap_or("nobody");
        for endpoint in slice.endpoints.iter().flatten() {
            let pod = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"));
            let ready = endpoint.conditions.as_ref().and_then(|conditions| conditions.ready);
            endpoints.extend(endpoint.addresses.iter().filter_map(|address| {
                Some(ServiceEndpoint {
                    address: address.parse().ok()?,
                    port: its_port,
                    pod: pod.and_then(|pod| pod.name.clone()),
                    // Unknown counts as ready, says the API.
                    is_ready: ready.unwrap_or(true),
                    slice: slice.metadata.name.clone().unwrap_or_default(),
                    kept_by: (keeper != CONTROLLER).then(|| keeper.to_owned()),
                })
            }));
        }
    }
    endpoints
}
