//! In which layer a node is: below all that lead to it, circles aside.

/// An edge between nodes of one level, by their positions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arc {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// Which edges lead back: without them there is no circle. Loops of one node are none of these.
pub(crate) fn leading_back(nodes: usize, arcs: &[Arc]) -> Vec<bool> {
    let out = outgoing(nodes, arcs);
    let mut back = vec![false; arcs.len()];
    let mut seen = vec![Seen::Not; nodes];
    // From those that nothing leads to, in their order, so that a picture begins where a run does.
    let mut led_to = vec![false; nodes];
    arcs.iter().filter(|arc| arc.from != arc.to).for_each(|arc| led_to[arc.to] = true);
    let (first, rest): (Vec<_>, Vec<_>) = (0..nodes).partition(|&node| !led_to[node]);
    for root in first.into_iter().chain(rest) {
        if seen[root] != Seen::Not {
            continue;
        }
        seen[root] = Seen::Open;
        let mut stack = vec![(root, 0)];
        while let Some((node, next)) = stack.last_mut() {
            let Some(&arc) = out[*node].get(*next) else {
                seen[*node] = Seen::Closed;
                stack.pop();
                continue;
            };
            *next += 1;
            let to = arcs[arc].to;
            match seen[to] {
                Seen::Not => {
                    seen[to] = Seen::Open;
                    stack.push((to, 0));
                }
                Seen::Open => back[arc] = true,
                Seen::Closed => {}
            }
        }
    }
    back
}

/// The layer of each node, from 0, given edges that make no circle: as far down as the longest way to
/// it; those that could be lower are drawn towards what they lead to.
pub(crate) fn layers(nodes: usize, arcs: &[Arc]) -> Vec<usize> {
    let order = sorted(nodes, arcs);
    let out = outgoing(nodes, arcs);
    let mut layer = vec![0; nodes];
    for &node in &order {
        for &arc in &out[node] {
            let to = arcs[arc].to;
            layer[to] = layer[to].max(layer[node] + 1);
        }
    }
    let mut is_led_to = vec![false; nodes];
    arcs.iter().for_each(|arc| is_led_to[arc.to] = true);
    for &node in order.iter().rev() {
        let lowest = out[node].iter().map(|&arc| layer[arcs[arc].to] - 1).min();
        if let (Some(lowest), false) = (lowest, is_led_to[node]) {
            layer[node] = lowest;
        }
    }
    layer
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    Open,
    Closed,
}

fn outgoing(nodes: usize, arcs: &[Arc]) -> Vec<Vec<usize>> {
    let mut out = vec![Vec::new(); nodes];
    for (number, arc) in arcs.iter().enumerate() {
        if arc.from != arc.to {
            out[arc.from].push(number);
        }
    }
    out
}

/// The nodes, each after all that lead to it.
fn sorted(nodes: usize, arcs: &[Arc]) -> Vec<usize> {
    let out = outgoing(nodes, arcs);
    let mut waits = vec![0_usize; nodes];
    arcs.iter().filter(|arc| arc.from != arc.to).for_each(|arc| waits[arc.to] += 1);
    let mut order: Vec<usize> = (0..nodes).filter(|&node| waits[node] == 0).collect();
    let mut at = 0;
    while let Some(&node) = order.get(at) {
        at += 1;
        for &arc in &out[node] {
            let to = arcs[arc].to;
            waits[to] -= 1;
            if waits[to] == 0 {
                order.push(to);
            }
        }
    }
    order
}
