//! What is looked at: a workload with its plan, a node pool, or the whole cluster.

use super::CostsArgs;
use crate::commands::plan::PlanArgs;
use crate::commands::plan::question::Matter;
use crate::commands::target::{Target, connect};
use crate::context::Context;
use crate::domain::catalogue::{PriceBook, Region};
use crate::domain::cost::{self, Beside, CostReport, Inventory, Restart, RightSized, Service};
use crate::domain::names::NodePoolName;
use crate::domain::rolling::{Forecast, Run, Source, State};
use crate::domain::sizing::Plan;
use crate::domain::snapshot::{Node, Part, Snapshot};
use crate::domain::verify::Facts;
use crate::domain::vpa;
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
    /// What usage says that shards should request, where that is to be believed.
    pub right_sized: Option<RightSized>,
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
                return Ok(Sight { inventory, plan: None, right_sized: None });
            }
            Self::Cluster(cluster) => {
                let inventory = cluster.whole_inventory().await;
                return Ok(Sight { inventory, plan: None, right_sized: None });
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
            // Nothing is said but where: what `shardctl plan` answers without an option.
            let args = PlanArgs { region: Some(region.name().to_owned()), ..PlanArgs::default() };
            let matter = Matter::of_running(target, &snapshot).await;
            let plan = matter.and_then(|matter| matter.plan(&args, prices.clone()));
            plan.map_err(|error| error.to_string())
        };
        let (plan, observed, inventory) = futures::join!(
            Box::pin(plan),
            Box::pin(cluster.vertical_scaling(&snapshot)),
            Box::pin(cluster.service_inventory(service, &snapshot, runs))
        );
        let right_sized = plan.as_ref().ok().and_then(|plan| right_sized(plan, observed));
        Ok(Sight { inventory, plan: Some(plan), right_sized })
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

/// What `vpa-report` proposes, and the cheapest machines for it.
fn right_sized(plan: &Plan, observed: vpa::Observed) -> Option<RightSized> {
    let judged = vpa::judge(observed, vpa::Terms::default());
    let requests = vpa::right_sized(&judged).filter(|_| judged.is_believed())?;
    let (size, outcome) = vpa::effect(plan, judged.observed.requests, requests, None).best_then?;
    let headroom = judged.terms.headroom_percent;
    Some(RightSized {
        requests,
        size: size.name.to_owned(),
        nodes: outcome.nodes,
        assumption: format!(
            "the use that the VPA saw, with {headroom}% of headroom: see `shardctl vpa-report`"
        ),
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
        let beside = Beside { region, plan, right_sized: self.right_sized.as_ref() };
        let mut report = cost::report(&self.inventory, prices, beside);
        if let Some(Err(why)) = &self.plan {
            report.assumptions.push(format!("what another size would cost is not known: {why}"));
        }
        report
    }
}
