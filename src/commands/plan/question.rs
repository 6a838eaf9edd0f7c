//! The question that is put to the sizing: from the command line, the ShardSet file or the live workload, and the cluster.
//! What none of them tells is assumed, and said. `vpa-report` puts the same question for a workload that runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{GivenOverhead, PlanArgs};
use crate::commands::prices::{PriceSources, find_region};
use crate::commands::target::{Target, connect, read_shardset};
use crate::context::Context;
use crate::domain::catalogue::{self, Architecture, PriceBook, Region};
use crate::domain::names::{NodePoolName, nearest};
use crate::domain::nap::DEFAULT_MAX_PODS;
use crate::domain::shardset::manifests::Manifest;
use crate::domain::shardset::{Operator, Phase, Pool, ShardSet};
use crate::domain::sizing::{Demand, Live, Market, OutageModel, Overhead, Plan, rules};
use crate::domain::snapshot::{
    AZURE_DISK, Node, NodeClassRef, NodeExpression, NodePool, PodTemplate, Snapshot, StorageClass, Taint,
};
use crate::domain::verify::Facts;
use crate::error::CommandError;
use crate::k8s::{Cluster, Ground, Scope, pod_template};

/// Zones that a region is taken to have.
const ZONES: u32 = 3;
/// Requirements of a live pool that hold for any pool of the service; others describe the machines it has now.
const LASTING: [&str; 5] =
    [ARCH, FAMILY, ZONE, "karpenter.azure.com/sku-storage-premium-capable", "karpenter.sh/capacity-type"];
const ARCH: &str = "kubernetes.io/arch";
const FAMILY: &str = "karpenter.azure.com/sku-family";
const ZONE: &str = "topology.kubernetes.io/zone";
const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";

/// The plan, and the file that it is for.
pub(super) struct Asked {
    pub plan: Plan,
    pub shardset: Option<ShardSet>,
}

/// What is to be placed, wherever it was read.
struct Subject {
    name: String,
    replicas: u32,
    required: u32,
    template: PodTemplate,
    /// Where the pod's spec stands.
    pod: &'static str,
    /// The storage class of each volume of a shard.
    classes: Vec<Option<String>>,
    /// The pool that will make the machines, without its pin.
    pool: NodePool,
    /// Pools whose nodes show what a real one reports.
    pools: Vec<String>,
    /// Families that the explore pool allows.
    families: Vec<String>,
    pinned: Option<String>,
}

pub(super) async fn question(context: &Context, args: &PlanArgs) -> Result<Asked, CommandError> {
    let shardset = args.target.file.as_deref().map(|path| read_shardset(path, context)).transpose()?;
    // What is wrong on the command line is said before anything is sent.
    let prices = PriceSources::read(context, &args.prices)?.book();
    if let Some(region) = &args.region {
        priced(find_region(region)?, &prices)?;
    }
    check_families(&args.families)?;
    let matter = match &shardset {
        Some(shardset) => Matter::of_file(context, args, shardset).await?,
        None => {
            let target = args.target.resolve(context).await?;
            let scope = Scope { nodes: true, ..Scope::default() };
            let snapshot = target.snapshot(scope).await?;
            Matter::of_running(&target, &snapshot).await?
        }
    };
    Ok(Asked { plan: matter.plan(args, prices)?, shardset })
}

/// The plans of the ShardSet file and of those that share its pool, each with the same market to choose from.
pub(super) async fn sharers(
    context: &Context,
    args: &PlanArgs,
    first: Plan,
) -> Result<Vec<Plan>, CommandError> {
    let mut plans = vec![first];
    for path in &args.with {
        let shardset = read_shardset(path, context)?;
        let name = shardset.metadata.name.as_str();
        if plans.iter().any(|plan| plan.name == name) {
            return Err(CommandError::usage(format!("{name} is named twice"))
                .hint("name each ShardSet file once, the first with -f and the others with --with"));
        }
        let plan =
            Matter::of_file(context, args, &shardset).await?.plan(args, plans[0].market.prices.clone())?;
        let architecture = |plan: &Plan| plan.market.architecture.map_or("any", Architecture::as_str);
        if architecture(&plan) != architecture(&plans[0]) {
            return Err(CommandError::usage(format!(
                "{name} runs on {} and {} on {}: they cannot share a pool",
                architecture(&plan),
                plans[0].name,
                architecture(&plans[0])
            ))
            .hint("leave it out, or say --arch for all of them"));
        }
        plans.push(plan);
    }
    Ok(plans)
}

/// What is to be placed, and what the cluster tells of where.
pub(in crate::commands) struct Matter {
    subject: Subject,
    ground: Option<Ground>,
}

impl Matter {
    /// A ShardSet file; no cluster is asked when the command line says what one would tell.
    async fn of_file(context: &Context, args: &PlanArgs, shardset: &ShardSet) -> Result<Self, CommandError> {
        let subject = of_file(shardset)?;
        let needs_cluster = args.region.is_none()
            || matches!(args.daemonset_overhead, None | Some(GivenOverhead::FromCluster));
        if !needs_cluster {
            return Ok(Self { subject, ground: None });
        }
        let cluster = connect(context).await.map_err(|error| {
            error.hint("without a cluster, say --region REGION --daemonset-overhead cpu=500m,memory=800Mi")
        })?;
        let ground = look(&cluster, &subject).await;
        Ok(Self { subject, ground: Some(ground) })
    }

    /// A workload that runs, by its ShardSet file where there is one.
    pub(in crate::commands) async fn of_running(
        target: &Target,
        snapshot: &Snapshot,
    ) -> Result<Self, CommandError> {
        let subject = match &target.shardset {
            Some(shardset) => of_file(shardset)?,
            None => of_live(snapshot)?,
        };
        let ground = look(&target.cluster, &subject).await;
        Ok(Self { subject, ground: Some(ground) })
    }

    /// Whether its nodes give whole cores to one shard alone.
    pub(in crate::commands) fn has_static_cpus(&self) -> bool {
        let class = self.ground.as_ref().and_then(|ground| ground.node_class.as_ref().ok());
        class.is_some_and(|class| class.has_static_cpus)
    }

    /// The sizes for it, ranked.
    pub(in crate::commands) fn plan(self, args: &PlanArgs, prices: PriceBook) -> Result<Plan, CommandError> {
        let Self { subject, ground } = self;
        let ground = ground.as_ref();
        let region = match &args.region {
            Some(name) => find_region(name)?,
            None => region_of_nodes(ground)?,
        };
        let region = priced(region, &prices)?;
        let overhead = match args.daemonset_overhead.unwrap_or(GivenOverhead::FromCluster) {
            GivenOverhead::Load(load) => Overhead::Given(load),
            GivenOverhead::FromCluster => Overhead::DaemonSets(daemon_sets(ground)?),
        };
        let mut assumptions = Vec::new();
        let demand = demand(&subject, ground, &mut assumptions);
        let place = Place { region, prices, overhead };
        let market = market(args, &subject, ground, place, &mut assumptions);
        Ok(Plan::new(subject.name, demand, market, args.prefer.into(), subject.pinned, assumptions))
    }
}

/// Where the machines are made, what they cost there, and what DaemonSets take on them.
struct Place {
    region: Region,
    prices: PriceBook,
    overhead: Overhead,
}

fn of_file(shardset: &ShardSet) -> Result<Subject, CommandError> {
    let set = shardset.manifests(Phase::Stable).into_iter().find(|manifest| manifest.kind() == "StatefulSet");
    let template =
        set.as_ref().and_then(|Manifest { object }| pod_template(object.pointer("/spec/template")?));
    let template = template.ok_or_else(|| {
        CommandError::usage("the overlay of the ShardSet file makes a pod that Kubernetes cannot read")
            .hint("`shardctl deploy -f FILE --phase stable -o yaml` prints the pod")
    })?;
    let nodes = &shardset.spec.nodes;
    let family =
        nodes.explore.requirements.iter().find(|one| one.key == FAMILY && one.operator == Operator::In);
    let class = &nodes.node_class_ref;
    let pool = NodePool {
        node_class: NodeClassRef {
            group: class.group.clone(),
            kind: class.kind.clone(),
            name: class.name.clone(),
        },
        ..pool_of_file(&nodes.stable)
    };
    Ok(Subject {
        name: shardset.metadata.name.as_str().to_owned(),
        replicas: shardset.spec.replicas,
        required: shardset.spec.availability.required(shardset.spec.replicas),
        template,
        pod: "spec.overlay.pod",
        classes: vec![Some(shardset.spec.storage.storage_class_name.clone())],
        pool,
        pools: [&nodes.explore, &nodes.stable].map(|pool| pool.name.as_str().to_owned()).into(),
        families: family.map(|one| one.values.clone()).unwrap_or_default(),
        pinned: match nodes.stable.instance_types.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
    })
}

fn pool_of_file(pool: &Pool) -> NodePool {
    let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let requirements = pool.requirements.iter().map(|one| NodeExpression {
        key: one.key.clone(),
        operator: text(serde_json::json!(one.operator)),
        values: one.values.clone(),
    });
    let taints = pool.taints.iter().map(|taint| Taint {
        key: taint.key.clone(),
        value: taint.value.clone(),
        effect: text(serde_json::json!(taint.effect)),
    });
    NodePool {
        name: NodePoolName::new(pool.name.as_str()),
        requirements: requirements.filter(|one| one.key != INSTANCE_TYPE).collect(),
        taints: taints.collect(),
        ..NodePool::default()
    }
}

fn of_live(snapshot: &Snapshot) -> Result<Subject, CommandError> {
    let workload = &snapshot.workload;
    let target = snapshot.target_pools().ok().and_then(|pools| pools.first().copied().cloned());
    let pinned = target.as_ref().and_then(|pool| pool.pinned_instance_type().map(str::to_owned));
    let mut pool = target.unwrap_or_default();
    let mut pools: BTreeSet<String> = BTreeSet::new();
    pools.extend((!pool.name.as_str().is_empty()).then(|| pool.name.as_str().to_owned()));
    let nodes = snapshot.nodes.iter().flat_map(|nodes| nodes.values());
    pools.extend(nodes.filter_map(Node::node_pool).map(|name| name.as_str().to_owned()));
    pool.requirements.retain(|one| LASTING.contains(&one.key.as_str()));
    if workload.replicas == 0 {
        return Err(CommandError::failed(format!(
            "{} has no shards: its replicas are 0",
            workload.reference
        ))
        .hint("name a ShardSet file with -f to plan for shards that are not there"));
    }
    let requests = workload.template.requests;
    if !requests.cpu.is_positive() && !requests.memory.is_positive() {
        return Err(CommandError::failed(format!("{} requests no CPU and no memory", workload.reference))
            .hint(
                "without requests any number fits anywhere: set spec.template.spec.containers[].resources",
            ));
    }
    Ok(Subject {
        name: workload.reference.name.clone(),
        replicas: workload.replicas,
        required: Facts::new(snapshot).availability().required(workload.replicas),
        template: workload.template.clone(),
        pod: "spec.template.spec",
        classes: workload.claim_templates.iter().map(|claim| claim.storage_class.clone()).collect(),
        pool,
        pools: pools.into_iter().collect(),
        families: Vec::new(),
        pinned,
    })
}

async fn look(cluster: &Cluster, subject: &Subject) -> Ground {
    let pools: Vec<&str> = subject.pools.iter().map(String::as_str).collect();
    let classes: BTreeSet<&str> = subject.classes.iter().flatten().map(String::as_str).collect();
    cluster.ground(&pools, &classes, &subject.pool.node_class).await
}

/// The region, if any price of it is known.
fn priced(region: Region, prices: &PriceBook) -> Result<Region, CommandError> {
    let known = prices.regions();
    if known.contains(region.name()) {
        return Ok(region);
    }
    let known: Vec<&str> = known.into_iter().collect();
    Err(CommandError::usage(format!("no prices are known of region `{region}`"))
        .hint(format!("prices are known of {}", known.join(", ")))
        .hint("name your own with --prices FILE, or fetch Azure's with `shardctl costs --refresh`"))
}

fn check_families(families: &[String]) -> Result<(), CommandError> {
    let known: BTreeSet<&str> =
        catalogue::sizes().iter().flat_map(|size| [size.family, size.series]).collect();
    let Some(unknown) = families.iter().find(|family| !known.contains(family.as_str())) else {
        return Ok(());
    };
    let error = CommandError::usage(format!("there is no family or series `{unknown}`"));
    Err(match nearest(unknown, known.iter().copied().filter(|name| name.len() > 1)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint("write a family as Karpenter labels it (D, E, F, L, M) or a series (Eas_v5)"),
    })
}

/// The region that nodes say they are in.
fn region_of_nodes(ground: Option<&Ground>) -> Result<Region, CommandError> {
    let nodes = ground.and_then(|ground| ground.nodes.as_ref().ok()).into_iter().flatten();
    let any = ground.and_then(|ground| ground.any_node.as_ref().ok()).into_iter().flatten();
    match nodes.chain(any).find_map(Node::region) {
        Some(region) => {
            find_region(region).map_err(|error| error.hint("--region REGION takes the prices of another one"))
        }
        None => Err(CommandError::usage("no node says which region it is in")
            .hint("name the region of the prices: --region eastus")),
    }
}

fn daemon_sets(ground: Option<&Ground>) -> Result<Vec<crate::domain::snapshot::DaemonSet>, CommandError> {
    match ground.map(|ground| &ground.daemon_sets) {
        Some(Ok(sets)) => Ok(sets.clone()),
        Some(Err(unknown)) => Err(CommandError::failed(unknown)
            .hint("say what DaemonSets take on each node: --daemonset-overhead cpu=500m,memory=800Mi")),
        None => Ok(Vec::new()),
    }
}

fn demand(subject: &Subject, ground: Option<&Ground>, assumptions: &mut Vec<String>) -> Demand {
    let known = ground.and_then(|ground| ground.storage_classes.as_ref().ok());
    let mut demand = Demand {
        replicas: subject.replicas,
        required: subject.required,
        requests: subject.template.requests,
        disks: 0,
        wants_premium: false,
        rules: rules(&subject.template, subject.pod),
    };
    for name in &subject.classes {
        let class: Option<&StorageClass> = known.and_then(|known| known.get(name.as_ref()?));
        if let Some(class) = class {
            demand.disks += u32::from(class.provisioner == AZURE_DISK);
            demand.wants_premium |= class.is_premium();
            continue;
        }
        // Not there, or nobody to ask: taken for a disk, and by its name for a premium one.
        demand.disks += 1;
        let name = name.as_deref().unwrap_or("(default)");
        let is_premium = name.contains("premium");
        demand.wants_premium |= is_premium;
        let what = if is_premium { "premium" } else { "not premium" };
        assumptions.push(format!("disks of storage class {name} are {what}, by its name"));
    }
    demand
}

fn market(
    args: &PlanArgs,
    subject: &Subject,
    ground: Option<&Ground>,
    place: Place,
    assumptions: &mut Vec<String>,
) -> Market {
    let Place { region, prices, overhead } = place;
    let mut pool = subject.pool.clone();
    let values = |key: &str| {
        let one = pool.requirements.iter().find(|one| one.key == key && one.operator == "In");
        one.map(|one| one.values.clone())
    };
    if pool.name.as_str().is_empty() && matches!(overhead, Overhead::DaemonSets(_)) {
        assumptions
            .push("DaemonSets run as on a pool without taints, for no pool takes the shards".to_owned());
    }
    let architecture = args.arch.map(Architecture::from).or_else(|| {
        let required = values(ARCH)?;
        [Architecture::Amd64, Architecture::Arm64]
            .into_iter()
            .find(|architecture| required.iter().any(|one| one == architecture.as_str()))
    });
    let architecture = architecture.unwrap_or_else(|| {
        assumptions.push("the image is for amd64 (--arch)".to_owned());
        Architecture::Amd64
    });
    let zones: BTreeSet<String> = match &args.zones[..] {
        [] => values(ZONE).unwrap_or_default().into_iter().collect(),
        given => given.iter().cloned().collect(),
    };
    let zones = u32::try_from(zones.len()).ok().filter(|zones| *zones > 0).unwrap_or_else(|| {
        assumptions.push(format!("nodes are made in {ZONES} zones (--zones)"));
        ZONES
    });
    let nodes: Vec<&Node> =
        ground.and_then(|ground| ground.nodes.as_ref().ok()).into_iter().flatten().collect();
    let class = ground.and_then(|ground| ground.node_class.as_ref().ok()?.max_pods);
    let on_live = nodes.iter().map(|node| node.allocatable_pods).filter(|pods| *pods > 0).min();
    let max_pods = args.max_pods.or(class).or(on_live).unwrap_or_else(|| {
        assumptions.push(format!("a node runs {DEFAULT_MAX_PODS} pods (--max-pods)"));
        DEFAULT_MAX_PODS
    });
    assumptions.push(format!(
        "a node fails {} times a year, a zone {} times (--node-failures-per-year, --zone-outages-per-year)",
        args.node_failures_per_year, args.zone_outages_per_year
    ));
    // The command line says otherwise.
    pool.requirements.retain(|one| {
        !(one.key == ARCH || one.key == ZONE || (one.key == FAMILY && !args.families.is_empty()))
    });
    Market {
        sizes: catalogue::sizes(),
        region,
        prices,
        architecture: Some(architecture),
        families: if args.families.is_empty() { subject.families.clone() } else { args.families.clone() },
        pool,
        zones,
        max_pods,
        overhead,
        live: live(&nodes),
        surge: args.surge,
        max_nodes: args.max_nodes,
        outages: OutageModel {
            node_failures_per_year: args.node_failures_per_year,
            zone_outages_per_year: args.zone_outages_per_year,
        },
    }
}

/// The least that nodes of each size report; one that has just joined reports nothing yet.
fn live(nodes: &[&Node]) -> BTreeMap<String, Live> {
    let mut live: BTreeMap<String, Live> = BTreeMap::new();
    for node in nodes {
        let (Some(size), true) = (node.instance_type(), node.allocatable.memory.is_positive()) else {
            continue;
        };
        let (offer, pods) = (node.allocatable, node.allocatable_pods);
        live.entry(size.to_owned())
            .and_modify(|known| {
                known.allocatable.cpu = known.allocatable.cpu.min(offer.cpu);
                known.allocatable.memory = known.allocatable.memory.min(offer.memory);
                known.pods = known.pods.min(pods);
                known.nodes += 1;
            })
            .or_insert(Live { allocatable: offer, pods, nodes: 1 });
    }
    live
}
