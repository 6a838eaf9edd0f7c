//! What is looked at: a workload with its plan, a node pool, or the whole cluster.

use super::CostsArgs;
use crate::commands::plan::plan_of_live;
use crate::commands::target::{Target, connect};
use crate::context::Context;
use crate::domain::catalogue::{PriceBook, Region};
use crate::domain::cost::{self, Beside, CostReport, Inventory, Restart, Service};
use crate::domain::names::NodePoolName;
use crate::domain::rolling::{Forecast, Run, Source, State};
use crate::domain::sizing::Plan;
use crate::domain::snapshot::{Node, Part, Snapshot};
use crate::domain::verify::Facts;
use crate::error::CommandError;
use crate::k8s::{Cluster, Scope};

/// Where to look.
pub(super) enum Place {
    Workload(Box<Target>),
    NodePool(Cluster, NodePoolName),
    Cluster(Cluster),
}

/// What was seen.
pub(super) struct Sight {
    pub inventory: Inventory,
    /// Sizes ranked for the workload, or why there are none; none where the costs are of no workload.
    pub plan: Option<Result<Plan, String>>,
}

impl Place {
    pub async fn of(context: &Context, args: &CostsArgs) -> Result<Self, CommandError> {
        if args.all {
            return Ok(Self::Cluster(connect(context).await?));
        }
        match &args.nodepool {
            Some(name) => Ok(Self::NodePool(connect(context).await?, NodePoolName::new(name))),
            None => Ok(Self::Workload(Box::new(args.target.resolve(context).await?))),
        }
    }

    /// Looks at what there is. `region` takes the place of what nodes say.
    pub async fn look(&self, region: Option<Region>, prices: &PriceBook) -> Result<Sight, CommandError> {
        let target = match self {
            Self::Workload(target) => target,
            Self::NodePool(cluster, name) => {
                let inventory = cluster.pool_inventory(name).await;
                is_pool(&inventory, name)?;
                return Ok(Sight { inventory, plan: None });
            }
            Self::Cluster(cluster) => {
                let inventory = cluster.whole_inventory().await;
                return Ok(Sight { inventory, plan: None });
            }
        };
        let cluster = &target.cluster;
        let snapshot = target.snapshot(Scope { nodes: true, ..Scope::default() }).await?;
        let runs: Part<Vec<Run>> = cluster
            .runs(&target.reference)
            .await
            .map(|runs| runs.into_iter().map(|one| one.run).collect())
            .map_err(Into::into);
        let mut facts = Facts::new(&snapshot);
        facts.shardset = target.shardset.as_ref();
        let workload = &snapshot.workload;
        let service = Service {
            reference: workload.reference.clone(),
            replicas: workload.replicas,
            required: facts.availability().required(workload.replicas),
            template: workload.template.clone(),
            restart: restart(&snapshot, runs.as_deref().unwrap_or_default()),
        };
        let plan = async {
            let said = snapshot.nodes.iter().flatten().find_map(|(_, node)| Node::region(node));
            let region = match region.map(Ok).or_else(|| Some(Region::find(said?))) {
                Some(Ok(region)) => region,
                Some(Err(unknown)) => return Err(unknown.to_string()),
                None => return Err("no node says which region it is in".to_owned()),
            };
            let mut plan = plan_of_live(cluster, &snapshot, region, prices.clone())
                .await
                .map_err(|error| error.to_string())?;
            // The file says where the service is meant to be, wherever it is now.
            if let Some([only]) =
                target.shardset.as_ref().map(|set| set.spec.nodes.stable.instance_types.as_slice())
            {
                plan.pinned = Some(only.clone());
            }
            Ok(plan)
        };
        let (plan, inventory) = futures::join!(plan, cluster.service_inventory(service, &snapshot, runs));
        Ok(Sight { inventory, plan: Some(plan) })
    }
}

/// A pool that is neither there nor on any node was mistyped.
fn is_pool(inventory: &Inventory, name: &NodePoolName) -> Result<(), CommandError> {
    let Ok(pools) = &inventory.node_pools else { return Ok(()) };
    let has_nodes = inventory.machines.as_ref().map_or(true, |machines| !machines.is_empty());
    if has_nodes || pools.iter().any(|pool| pool.name == *name) {
        return Ok(());
    }
    let error = CommandError::failed(format!("there is no nodepool/{name}, and no node of it"));
    let names = || pools.iter().map(|pool| pool.name.as_str());
    Err(match crate::domain::names::nearest(name.as_str(), names()) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None if pools.is_empty() => {
            error.hint("the cluster has no Karpenter node pool; --all takes every node")
        }
        None => error.hint(format!("the cluster has {}", names().collect::<Vec<_>>().join(", "))),
    })
}

/// How long a restart takes, as earlier runs measured it, else as the pods tell.
fn restart(snapshot: &Snapshot, runs: &[Run]) -> Option<Restart> {
    let done = runs.iter().filter(|run| run.state == State::Done);
    let forecast = Forecast::of_history(snapshot, done).unwrap_or_else(|| Forecast::of_pods(snapshot));
    let is_measured = forecast.source == Source::History;
    forecast.restart.map(|each| Restart { each, is_measured })
}

impl Sight {
    /// What it costs by this book.
    pub fn report(self, region: Option<Region>, prices: &PriceBook) -> CostReport {
        let plan = self.plan.as_ref().and_then(|plan| plan.as_ref().ok());
        let beside = Beside { region, plan, right_sized: None };
        let mut report = cost::report(&self.inventory, prices, beside);
        if let Some(Err(why)) = &self.plan {
            report.assumptions.push(format!("what another size would cost is not known: {why}"));
        }
        report
    }
}
