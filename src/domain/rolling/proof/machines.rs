//! The machines that node pools can make, and how many shards one holds.
//!
//! Two figures decide. Karpenter makes a machine for a shard only if its plan of it (`nap`) holds the shard and the
//! daemons; kube-scheduler then fills it by what the kubelet reports, which is more, nearly always. So a machine counts
//! only if the plan holds at least one shard, and then for as many as the figure of a live node of the same type and
//! node class says. That figure is what will happen: taking the smaller of the two would refuse operations that work
//! (a seventh shard of 32Gi on an E32s_v5), and taking the larger where no node shows it would prove ones that do not.
//! Without a live node the plan is all there is, and errs on the side of refusing, where no harm is done.

use std::collections::{BTreeMap, BTreeSet};

use super::doubt::Doubt;
use super::hosts::{Level, minus, slots};
use super::labels::{Labels, names_types, says_size};
use super::moves::{AZURE_DISK, Moves, is_zone};
use super::pools::{Amounts, Book, LIMITED, book, contradiction, not_at_all};
use super::refusal::NoNode;
use super::{Request, Terrain};
use crate::domain::catalogue::{self, Size};
use crate::domain::nap;
use crate::domain::packing::Load;
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::{Node, NodeExpression, NodePool, Snapshot};

pub(super) use crate::domain::nap::DEFAULT_MAX_PODS as PODS;
/// Fewer pods than any provider allows on a node by default.
pub(super) const PODS_ANYWHERE: u32 = 30;

/// The providers whose machines the catalogue describes. The second is the lab's, which offers Azure's sizes.
const AZURE: [&str; 2] = ["karpenter.azure.com", "karpenter.kwok.sh"];

/// A machine that a pool can make in a zone.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    /// Which of the books its pool is.
    pub pool: usize,
    /// None for a machine of which nothing is known, see [`Kind::guess`].
    pub instance_type: Option<String>,
    pub zone: Option<String>,
    /// What a limit must have left before it is made: the capacity that is planned of it.
    pub takes: Amounts,
    /// What it uses of a limit once it is there: as planned, or as live ones report, whichever is more.
    pub counts: Amounts,
    /// Shards that it holds in the end.
    pub held: [Level; 1],
    /// Shards that Karpenter puts on it when they wait at the same time.
    pub planned: [Level; 1],
    /// Whether shards of each class may go there.
    pub fits: Vec<bool>,
    /// US dollars per hour; none when unknown, which Karpenter takes for dearest.
    pub price: Option<f64>,
    /// Pods of daemons on it.
    pub daemons: u32,
    /// Whether nothing tells how many pods run on it.
    pub assumes_pods: bool,
}

impl Kind {
    /// A machine of which nothing is known but that it cannot be smaller than what is put on it. One such machine for
    /// each shard takes no more of a limit than the real ones do.
    fn guess(pool: usize, zone: Option<String>, requests: Resources, fits: Vec<bool>) -> Self {
        let least = [requests.cpu, requests.memory, Quantity::ZERO];
        let one = [Level { from: 0, slots: 1 }];
        Self {
            pool,
            instance_type: None,
            zone,
            takes: least,
            counts: least,
            held: one,
            planned: one,
            fits,
            price: None,
            daemons: 0,
            assumes_pods: false,
        }
    }

    /// Whether it does whatever `other` does, for no more of the limits.
    pub fn is_as_good_as(&self, other: &Self) -> bool {
        self.pool == other.pool
            && self.zone == other.zone
            && self.held[0].slots >= other.held[0].slots
            && self.takes.iter().zip(&other.takes).all(|(own, other)| own <= other)
            && self.counts.iter().zip(&other.counts).all(|(own, other)| own <= other)
            && self.fits.iter().zip(&other.fits).all(|(own, other)| own >= other)
    }
}

/// The books of the pools that matter, and the machines they make.
#[derive(Debug, Default)]
pub(super) struct Foundry<'a> {
    pub books: Vec<Book<'a>>,
    pub kinds: Vec<Kind>,
    /// Machines that hold a shard and take no premium disk although one is needed, by book.
    pub not_premium: BTreeMap<usize, String>,
    /// What is doubted of what a pool makes, by book.
    pub doubts: Vec<(usize, Doubt)>,
}

pub(super) fn foundry<'a>(
    snapshot: &'a Snapshot,
    terrain: &Terrain,
    request: &Request<'_>,
    moves: &Moves<'_>,
) -> Foundry<'a> {
    let mut foundry = Foundry::default();
    for pool in snapshot.node_pools.iter().flatten() {
        if request.target_pool.is_some_and(|target| *target != pool.name) {
            continue;
        }
        let index = foundry.books.len();
        let mut book = book(snapshot, pool);
        book.cannot = not_at_all(snapshot, request, pool);
        foundry.books.push(book);
        if foundry.books[index].cannot.is_none() {
            let maker = Maker { snapshot, terrain, request, moves, pool, index };
            let mut doubts = Vec::new();
            maker.make(&mut foundry, &mut doubts);
            foundry.doubts.extend(doubts.into_iter().map(|doubt| (index, doubt)));
        }
    }
    foundry
}

/// Makes the kinds of one pool.
struct Maker<'a, 'b> {
    snapshot: &'a Snapshot,
    terrain: &'b Terrain,
    request: &'b Request<'b>,
    moves: &'b Moves<'b>,
    pool: &'a NodePool,
    /// Which of the books the pool is.
    index: usize,
}

/// What is known of an instance type.
struct Model<'a> {
    name: &'a str,
    size: Option<&'static Size>,
    live: Option<Live<'a>>,
}

/// What nodes of a type report: the least of each that any of them offers, and the most that any of them is.
#[derive(Clone, Copy)]
struct Live<'a> {
    allocatable: Resources,
    pods: u32,
    capacity: Resources,
    /// One of them, for its labels.
    node: &'a Node,
}

impl<'a> Maker<'a, '_> {
    fn make(&self, foundry: &mut Foundry<'a>, doubts: &mut Vec<Doubt>) {
        self.look_at_pool(doubts);
        let (models, unknown) = self.models(doubts);
        let zones = self.zones();
        let before = foundry.kinds.len();
        let mut nearest: Option<NoNode> = None;
        for model in &models {
            for zone in &zones {
                match self.kind(model, zone.as_deref()) {
                    Ok(kind) => foundry.kinds.push(kind),
                    Err(reason) => {
                        if let NoNode::NoPremiumDisks { instance_type } = &reason {
                            foundry.not_premium.entry(self.index).or_insert_with(|| instance_type.clone());
                        }
                        if nearest.as_ref().is_none_or(|known| reason.is_nearer_than(known)) {
                            nearest = Some(reason);
                        }
                    }
                }
            }
        }
        if let Some(instance_types) = unknown {
            for zone in zones {
                let labels =
                    Labels { pool: self.pool, name: None, size: None, node: None, zone: zone.as_deref() };
                if labels.satisfy(&self.request.template.node_terms) {
                    let fits = self.fits(&labels, None);
                    let requests = self.request.template.requests;
                    foundry.kinds.push(Kind::guess(self.index, zone, requests, fits));
                }
            }
            doubts.push(Doubt::UnknownMachines { pool: self.pool.name.clone(), instance_types });
        }
        if foundry.kinds.len() == before {
            foundry.books[self.index].cannot = nearest.or(Some(NoNode::Contradiction { expression: None }));
        }
    }

    fn look_at_pool(&self, doubts: &mut Vec<Doubt>) {
        let pool = self.pool.name.clone();
        if !self.pool.conditions.contains_key("Ready") {
            doubts.push(Doubt::PoolNotSettled { pool: pool.clone() });
        }
        for resource in self.pool.limits.keys().filter(|resource| !LIMITED.contains(&resource.as_str())) {
            doubts.push(Doubt::Limit { pool: pool.clone(), resource: resource.clone() });
        }
    }

    /// The instance types that the pool may make; and if there may be others of which nothing is known, their names
    /// as far as the pool names them.
    fn models(&self, doubts: &mut Vec<Doubt>) -> (Vec<Model<'a>>, Option<Vec<String>>) {
        let named = self.pool.requirements.iter().find(|one| names_types(&one.key) && one.operator == "In");
        let seen: BTreeSet<&'a str> = self
            .snapshot
            .nodes
            .iter()
            .flat_map(|nodes| nodes.values())
            .filter_map(Node::instance_type)
            .collect();
        let is_azure = AZURE.contains(&self.pool.node_class.group.as_str());
        let mut unknown: Option<Vec<String>> = None;
        let mut models: Vec<Model<'a>> = Vec::new();
        if let Some(named) = named {
            for name in &named.values {
                let model = self.model(name, catalogue::size(name));
                match model.size.is_some() || model.live.is_some() {
                    true => models.push(model),
                    false => unknown.get_or_insert_default().push(name.clone()),
                }
            }
        } else {
            if is_azure {
                models.extend(catalogue::sizes().iter().map(|size| self.model(size.name, Some(size))));
            } else {
                unknown = Some(Vec::new());
            }
            let others = seen.into_iter().filter(|name| !is_azure || catalogue::size(name).is_none());
            let others = others.map(|name| self.model(name, catalogue::size(name)));
            models.extend(others.filter(|model| model.live.is_some()));
        }
        let mut passed_over: BTreeSet<&str> = BTreeSet::new();
        models.retain(|model| {
            let labels = self.labels(model, None);
            self.pool.requirements.iter().all(|one| match labels.value(&one.key) {
                Some(value) => one.matches(Some(&value)),
                None => {
                    if says_size(&one.key) && one.operator != "Exists" {
                        passed_over.insert(&one.key);
                    }
                    true
                }
            })
        });
        for key in passed_over {
            doubts.push(Doubt::Requirement { pool: self.pool.name.clone(), key: key.to_owned() });
        }
        if models.is_empty() && unknown.is_none() {
            // The catalogue is older than the provider.
            unknown = Some(Vec::new());
        }
        (models, unknown)
    }

    fn model(&self, name: &'a str, size: Option<&'static Size>) -> Model<'a> {
        Model { name, size, live: self.live(name, size.is_none()) }
    }

    /// What nodes of this type report, of those whose kubelets are set up as this pool's would be: of the same pool, or
    /// of the same node class. Where nothing else is known of the type, any will do.
    fn live(&self, name: &str, is_any_good: bool) -> Option<Live<'a>> {
        let nodes = self.snapshot.nodes.iter().flat_map(|nodes| nodes.values());
        let alike = |node: &&Node| {
            let pool = node.node_pool();
            pool.as_ref() == Some(&self.pool.name)
                || self.snapshot.node_pools.iter().flatten().any(|other| {
                    Some(&other.name) == pool.as_ref() && other.node_class == self.pool.node_class
                })
        };
        nodes
            .filter(|node| node.instance_type() == Some(name))
            // A node that has just joined reports nothing yet.
            .filter(|node| node.allocatable.cpu.is_positive() && node.allocatable.memory.is_positive())
            .filter(|node| is_any_good || alike(node))
            .map(|node| Live {
                allocatable: node.allocatable,
                pods: node.allocatable_pods,
                capacity: node.capacity,
                node,
            })
            .reduce(|a, b| Live {
                allocatable: Resources {
                    cpu: a.allocatable.cpu.min(b.allocatable.cpu),
                    memory: a.allocatable.memory.min(b.allocatable.memory),
                },
                pods: a.pods.min(b.pods),
                capacity: a.capacity.max(b.capacity),
                node: a.node,
            })
    }

    /// The zones that the pool makes nodes in: those that it names, else those that anything else names. None stands
    /// for a zone that nothing is known of.
    fn zones(&self) -> Vec<Option<String>> {
        let values = |one: &NodeExpression| match one.operator.as_str() {
            "In" if is_zone(&one.key) => one.values.clone(),
            _ => Vec::new(),
        };
        let own: BTreeSet<String> = self.pool.requirements.iter().flat_map(values).collect();
        let mut zones = own;
        if zones.is_empty() {
            let volumes = self.moves.classes.iter().flat_map(|class| class.volumes.iter().copied());
            let terms = volumes.chain([&self.request.template.node_terms]);
            zones.extend(terms.flatten().flatten().flat_map(values));
            let nodes = self.snapshot.nodes.iter().flat_map(|nodes| nodes.values());
            zones.extend(nodes.filter_map(Node::zone).map(str::to_owned));
        }
        zones.retain(|zone| {
            let requirements = self.pool.requirements.iter().filter(|one| is_zone(&one.key));
            // Disks of several zones name the empty one for machines without a zone.
            !zone.is_empty() && requirements.into_iter().all(|one| one.matches(Some(zone)))
        });
        match zones.is_empty() {
            true => vec![None],
            false => zones.into_iter().map(Some).collect(),
        }
    }

    fn labels<'m>(&'m self, model: &'m Model<'a>, zone: Option<&'m str>) -> Labels<'m> {
        Labels {
            pool: self.pool,
            name: Some(model.name),
            size: model.size,
            node: model.live.map(|live| live.node),
            zone,
        }
    }

    fn kind(&self, model: &Model<'a>, zone: Option<&str>) -> Result<Kind, NoNode> {
        let template = self.request.template;
        let labels = self.labels(model, zone);
        if !labels.satisfy(&template.node_terms) {
            return Err(contradiction(template, |one| labels.can_be(one)));
        }
        let plan = model.size.map(planned);
        let (planned_offer, capacity) = match (plan, model.live) {
            (Some(plan), _) => plan,
            (None, Some(live)) => (live.allocatable, live.capacity),
            (None, None) => Default::default(),
        };
        let offer = model.live.map_or(planned_offer, |live| live.allocatable);
        let instance_type = model.name.to_owned();
        // What does not fit on the bare machine need not be held against its daemons.
        let daemons = match planned_offer.holds(template.requests) {
            true => self.daemons(&labels),
            false => Load::default(),
        };
        let class = self.snapshot.node_classes.as_ref().ok().and_then(|classes| classes.get(&self.pool.name));
        let pods = model.live.map(|live| live.pods).or(class.and_then(|class| class.max_pods));
        let assumes_pods = pods.is_none();
        let pods = pods.unwrap_or(PODS).saturating_sub(daemons.pods);
        let on = |offer: Resources| slots(minus(offer, daemons.requests), pods, template.requests);
        let (planned, mut held) = (on(planned_offer), on(offer));
        if planned == 0 || held == 0 {
            let offer = if planned == 0 { planned_offer } else { offer };
            let leaves = offer.saturating_sub(daemons.requests);
            return Err(NoNode::TooSmall { instance_type, leaves });
        }
        if let Some((disks, most)) = self.disks(model) {
            held = held.min(most / disks);
            if held == 0 {
                return Err(NoNode::TooFewDisks { instance_type, disks: most, needs: disks });
            }
        }
        if super::is_apart_by_hostname(template) {
            held = 1;
        }
        let fits = self.fits(&labels, model.size);
        if !fits.contains(&true) {
            let is_disk = self.fits(&labels, None).contains(&true);
            return Err(match is_disk {
                true => NoNode::NoPremiumDisks { instance_type },
                false => NoNode::Zone { volumes: self.volume_zones(), zones: self.zone_names() },
            });
        }
        let at_once = planned.min(held).min(super::hostname_skew(template).unwrap_or(u32::MAX));
        let amounts = |of: Resources| [of.cpu, of.memory, Quantity::whole(1)];
        let live_capacity = model.live.map(|live| live.capacity).unwrap_or_default();
        Ok(Kind {
            pool: self.index,
            instance_type: Some(instance_type),
            zone: zone.map(str::to_owned),
            takes: amounts(capacity),
            counts: amounts(capacity.max(live_capacity)),
            held: [Level { from: 0, slots: held }],
            planned: [Level { from: 0, slots: at_once }],
            fits,
            price: catalogue::on_demand(model.name, catalogue::REFERENCE_REGION).map(|price| price.0),
            daemons: daemons.pods,
            assumes_pods,
        })
    }

    /// Disks of one shard that count against a machine's own limit, and that limit.
    fn disks(&self, model: &Model<'_>) -> Option<(u32, u32)> {
        let disks: u32 = ["", AZURE_DISK].iter().filter_map(|driver| self.moves.disks.get(driver)).sum();
        let told = model.live.and_then(|live| {
            self.terrain.attach_limits.as_ref().ok()?.get(&live.node.name)?.get(AZURE_DISK).copied()
        });
        let most = told.or(model.size.and_then(|size| size.max_data_disks))?;
        (disks > 0).then_some((disks, most))
    }

    /// Which classes may go to a machine with these labels; without a size, disks are not looked at.
    fn fits(&self, labels: &Labels<'_>, size: Option<&Size>) -> Vec<bool> {
        let takes_premium = size.and_then(|size| size.premium).unwrap_or(true);
        let classes = self.moves.classes.iter();
        classes
            .map(|class| {
                (takes_premium || !class.wants_premium)
                    && class.volumes.iter().all(|terms| labels.satisfy(terms))
            })
            .collect()
    }

    fn volume_zones(&self) -> Vec<String> {
        let zones: BTreeSet<&str> = self.moves.classes.iter().flat_map(|class| class.zones()).collect();
        zones.into_iter().map(str::to_owned).collect()
    }

    fn zone_names(&self) -> Vec<String> {
        self.zones().into_iter().flatten().collect()
    }

    fn daemons(&self, labels: &Labels<'_>) -> Load {
        match &self.terrain.daemon_sets {
            Ok(sets) => labels.daemons(sets),
            Err(_) => self.seen_daemons(),
        }
    }

    /// The most that daemons take on a node of the pool; on any node when the pool has none.
    fn seen_daemons(&self) -> Load {
        let occupants = self.snapshot.occupants.iter().flatten();
        let on = |is_own: bool| {
            occupants
                .clone()
                .filter(|(node, _)| {
                    let pool = self.snapshot.node(node).and_then(Node::node_pool);
                    !is_own || pool.as_ref() == Some(&self.pool.name)
                })
                .map(|(_, pods)| {
                    let daemons = pods.iter().filter(|pod| pod.is_daemon);
                    daemons.fold(Load::default(), |sum, pod| Load {
                        pods: sum.pods + 1,
                        requests: sum.requests + pod.requests,
                    })
                })
                .reduce(|a, b| Load { pods: a.pods.max(b.pods), requests: a.requests.max(b.requests) })
        };
        on(true).or_else(|| on(false)).unwrap_or_default()
    }
}

/// What is planned of a size: allocatable, and capacity.
fn planned(size: &'static Size) -> (Resources, Resources) {
    let memory = i64::try_from(nap::planned_capacity(size.memory_gib)).unwrap_or(i64::MAX);
    (
        nap::planned_allocatable(size).into(),
        Resources { cpu: Quantity::whole(i64::from(size.vcpus)), memory: Quantity::bytes(memory) },
    )
}
