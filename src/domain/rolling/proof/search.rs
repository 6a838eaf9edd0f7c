//! Which machines are made. First as Karpenter would; where that ends at a limit, every other choice is looked at.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::machines::Kind;
use super::placement::{Placement, Problem, Reached};

/// How many choices of machines, times the steps there are, are looked at before the search gives up: some tens of
/// milliseconds for ten shards as for a thousand.
const MOST_WORK: usize = 400_000;

/// Steps that wait for a machine at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Batch {
    /// Those of one wave.
    Wave,
    /// All, because room is made first.
    All,
}

/// How a search ended.
#[derive(Debug)]
pub(super) enum Found<'p> {
    /// Every step has a place.
    All(Placement<'p>),
    /// No assignment of the steps up to this one exists.
    Stuck(Stuck<'p>),
    /// None was found, and not everything was looked at.
    GaveUp(Stuck<'p>),
}

/// A step without a place.
#[derive(Clone, Debug)]
pub(super) struct Stuck<'p> {
    /// 0 for the first.
    pub step: usize,
    /// The steps before it in their places.
    pub placement: Placement<'p>,
}

/// Places every step, making the machines that Karpenter would make.
///
/// # Errors
/// With the first step for which no machine can be made any more, and whether each choice was the only one.
pub(super) fn as_karpenter<'p>(
    problem: &'p Problem<'p>,
    batch: Batch,
) -> Result<Placement<'p>, (Stuck<'p>, bool)> {
    let mut placement = Placement::new(problem);
    let mut had_no_choice = true;
    let mut step = 0;
    loop {
        let Some((stuck, reached)) = advance(&mut placement, step) else { return Ok(placement) };
        step = stuck;
        let candidates = candidates(&placement, &reached);
        let Some(kind) = choice(&placement, step, batch, &candidates) else {
            return Err((Stuck { step, placement }, had_no_choice));
        };
        let chosen = &problem.kinds[kind];
        had_no_choice &= candidates.iter().all(|other| chosen.is_as_good_as(&problem.kinds[*other]));
        placement.open(kind);
    }
}

/// Looks at every choice of machines, unless they are too many.
pub(super) fn exhaustive<'p>(problem: &'p Problem<'p>, first: Stuck<'p>) -> Found<'p> {
    let front = front(problem);
    let most_choices = MOST_WORK / problem.moves.len().max(1);
    let mut best = first;
    let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
    let mut choices = 0;
    let mut start = Placement::new(problem);
    let Some((step, reached)) = advance(&mut start, 0) else { return Found::All(start) };
    let mut open = vec![(start, step, reached, 0)];
    while let Some((placement, step, reached, next)) = open.last_mut() {
        let kind = front[*next..].iter().position(|kind| {
            let kind = &problem.kinds[*kind];
            helps(kind, reached) && placement.can_open(kind)
        });
        let Some(kind) = kind.map(|offset| *next + offset) else {
            open.pop();
            continue;
        };
        *next = kind + 1;
        let mut placement = placement.clone();
        placement.open(front[kind]);
        let mut made = placement.opened.clone();
        made.sort_unstable();
        if !seen.insert(made) {
            continue;
        }
        choices += 1;
        if choices > most_choices {
            return Found::GaveUp(best);
        }
        let Some((step, reached)) = advance(&mut placement, *step) else { return Found::All(placement) };
        if step > best.step {
            best = Stuck { step, placement: placement.clone() };
        }
        if most_more_slots(&placement).is_none_or(|more| step + more > best.step) {
            open.push((placement, step, reached, 0));
        }
    }
    Found::Stuck(best)
}

/// Places steps from `step` on; returns the first that finds no place, if any.
fn advance(placement: &mut Placement<'_>, step: usize) -> Option<(usize, Reached)> {
    (step..placement.problem.moves.len())
        .find_map(|step| placement.place(step).err().map(|reached| (step, reached)))
}

fn helps(kind: &Kind, reached: &Reached) -> bool {
    kind.fits.iter().zip(reached).any(|(fits, reached)| *fits && *reached)
}

/// The machines that would help and that the limits allow.
pub(super) fn candidates(placement: &Placement<'_>, reached: &Reached) -> Vec<usize> {
    let kinds = placement.problem.kinds.iter().enumerate();
    kinds
        .filter(|(_, kind)| helps(kind, reached) && placement.can_open(kind))
        .map(|(index, _)| index)
        .collect()
}

/// The machine that Karpenter would make: it puts as many of the waiting pods on one machine as any machine holds, and
/// takes the cheapest that holds them.
pub(super) fn choice(
    placement: &Placement<'_>,
    step: usize,
    batch: Batch,
    candidates: &[usize],
) -> Option<usize> {
    let problem = placement.problem;
    let own = &problem.moves[step];
    let mut waiting = vec![0_u32; problem.classes.len()];
    for one in problem.moves[step..].iter().take_while(|one| batch == Batch::All || one.wave == own.wave) {
        waiting[one.class] += 1;
    }
    let taken = |kind: &Kind| {
        let fit: u32 =
            kind.fits.iter().zip(&waiting).filter(|(fits, _)| **fits).map(|(_, waiting)| waiting).sum();
        let slots = if problem.as_planned { kind.planned[0].slots } else { kind.held[0].slots };
        slots.min(fit)
    };
    let kinds = candidates.iter().map(|index| (*index, &problem.kinds[*index]));
    let most = kinds.clone().filter(|(_, kind)| kind.fits[own.class]).map(|(_, kind)| taken(kind)).max();
    kinds
        .filter(|(_, kind)| most.is_none_or(|most| kind.fits[own.class] && taken(kind) >= most))
        .min_by(|(_, a), (_, b)| by_preference(a, b))
        .map(|(index, _)| index)
}

/// Known before unknown, cheap before dear, small before large, by name.
pub(super) fn by_preference(a: &Kind, b: &Kind) -> Ordering {
    let is_guess = |kind: &Kind| kind.instance_type.is_none();
    let price = |kind: &Kind| kind.price.unwrap_or(f64::MAX);
    is_guess(a)
        .cmp(&is_guess(b))
        .then(price(a).total_cmp(&price(b)))
        .then_with(|| a.takes.cmp(&b.takes))
        .then_with(|| (&a.instance_type, &a.zone).cmp(&(&b.instance_type, &b.zone)))
}

/// The kinds that no other does better than, one of those alike. First those that take the smallest share of the limits
/// for each shard: if there is a way, it is most likely made of these.
fn front(problem: &Problem<'_>) -> Vec<usize> {
    let kinds = problem.kinds;
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    order.sort_by(|a, b| by_preference(&kinds[*a], &kinds[*b]));
    let mut front: Vec<usize> = Vec::new();
    for index in order {
        let kind = &kinds[index];
        if !front.iter().any(|known| kinds[*known].is_as_good_as(kind)) {
            front.retain(|known| !kind.is_as_good_as(&kinds[*known]));
            front.push(index);
        }
    }
    let share = |index: &usize| {
        let kind = &kinds[*index];
        let left = problem.left[kind.pool].iter().zip(&kind.takes);
        let shares = left.filter_map(|(left, takes)| Some(takes.as_f64() / left.as_ref()?.as_f64()));
        shares.fold(0.0, f64::max) / f64::from(kind.held[0].slots)
    };
    front.sort_by(|a, b| share(a).total_cmp(&share(b)));
    front
}

/// No more slots than these can be had from new machines; none when there is no bound.
fn most_more_slots(placement: &Placement<'_>) -> Option<usize> {
    let mut sum = 0.0;
    for (pool, left) in placement.left.iter().enumerate() {
        let kinds = placement.problem.kinds.iter().filter(|kind| kind.pool == pool);
        if kinds.clone().next().is_none() {
            continue;
        }
        let bound = (0..left.len()).filter_map(|limit| {
            let left = left[limit]?.as_f64().max(0.0);
            let slots = |kind: &Kind| f64::from(kind.held[0].slots) / kind.takes[limit].as_f64();
            let best = kinds.clone().map(slots).fold(0.0, f64::max);
            best.is_finite().then(|| (left * best * (1.0 + 1e-9)).floor())
        });
        sum += bound.reduce(f64::min)?;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating"
    )]
    Some(sum as usize)
}
