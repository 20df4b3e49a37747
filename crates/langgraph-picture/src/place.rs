//! How far from the left an item is: near what it is tied to, and beside its neighbours.

/// What an item wants, and how much: the weight of a tie that should be straight is greater.
pub(crate) struct Tie {
    /// The other end.
    pub(crate) item: usize,
    /// How much further right the ends of the tie are than the middles: there, less here.
    pub(crate) offset: f64,
    pub(crate) weight: f64,
}

/// How often the rows are gone through, down and up.
const ROUNDS: usize = 24;

/// How many items are moved in all: of more, each is moved less often.
const EFFORT: usize = 1_000_000;

/// The middles of all items, from 0 for the leftmost edge of all.
///
/// `rows` are the items of each layer from the left, `widths` what they take, `gap` is the least
/// room between two, `above` and `below` are what they are tied to in the rows beside.
pub(crate) fn places(
    rows: &[Vec<usize>],
    widths: &[f64],
    gap: f64,
    above: &[Vec<Tie>],
    below: &[Vec<Tie>],
) -> Vec<f64> {
    let mut place = vec![0.0; widths.len()];
    for row in rows {
        let mut at = 0.0;
        for &item in row {
            place[item] = at + widths[item] / 2.0;
            at += widths[item] + gap;
        }
        // All rows begin around one middle.
        row.iter().for_each(|&item| place[item] -= (at - gap) / 2.0);
    }
    let rounds = (EFFORT / widths.len().max(1)).clamp(4, ROUNDS);
    for round in 0..rounds {
        let settle = |row: &Vec<usize>, place: &mut Vec<f64>, both: bool, down: bool| {
            let wanted: Vec<(f64, f64)> = row
                .iter()
                .map(|&item| {
                    let up = above[item].iter().filter(|_| both || down);
                    let low = below[item].iter().filter(|_| both || !down);
                    wish(up.chain(low), place, place[item])
                })
                .collect();
            settle(row, widths, gap, &wanted, place);
        };
        let both = round >= rounds / 2;
        for row in rows {
            settle(row, &mut place, both, true);
        }
        for row in rows.iter().rev() {
            settle(row, &mut place, both, false);
        }
    }
    let left = rows.iter().flatten().map(|&item| place[item] - widths[item] / 2.0);
    let left = left.fold(f64::INFINITY, f64::min);
    if left.is_finite() {
        place.iter_mut().for_each(|place| *place -= left);
    }
    place
}

/// Where an item is best, and how much that matters.
fn wish<'a>(ties: impl Iterator<Item = &'a Tie>, place: &[f64], own: f64) -> (f64, f64) {
    let (mut sum, mut weight) = (0.0, 0.0);
    for tie in ties {
        sum += (place[tie.item] + tie.offset) * tie.weight;
        weight += tie.weight;
    }
    if weight == 0.0 {
        return (own, 0.1);
    }
    (sum / weight, weight)
}

/// Puts the items of a row as near to where they are best as their neighbours let them: neighbours
/// that press upon each other move as one.
fn settle(row: &[usize], widths: &[f64], gap: f64, wanted: &[(f64, f64)], place: &mut [f64]) {
    struct Block {
        /// The best place of the first item, were it alone; of all, weighed.
        sum: f64,
        weight: f64,
        from: usize,
    }
    // How far right of the first item an item is at the least.
    let mut offsets = Vec::with_capacity(row.len());
    let mut offset = 0.0;
    for (at, &item) in row.iter().enumerate() {
        if at > 0 {
            offset += (widths[row[at - 1]] + widths[item]) / 2.0 + gap;
        }
        offsets.push(offset);
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (at, &(best, weight)) in wanted.iter().enumerate() {
        let mut block = Block { sum: (best - offsets[at]) * weight, weight, from: at };
        while let Some(last) = blocks.last() {
            if last.sum / last.weight <= block.sum / block.weight {
                break;
            }
            block.sum += last.sum;
            block.weight += last.weight;
            block.from = last.from;
            blocks.pop();
        }
        blocks.push(block);
    }
    for (number, block) in blocks.iter().enumerate() {
        let end = blocks.get(number + 1).map_or(row.len(), |next| next.from);
        for at in block.from..end {
            place[row[at]] = block.sum / block.weight + offsets[at];
        }
    }
}
