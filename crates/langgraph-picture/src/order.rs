//! Which is left of which in a layer, so that few edges cross.

/// Rows of items, and which items of one row are tied to which of the next.
pub(crate) struct Rows {
    /// The items of each row, from the left.
    pub(crate) rows: Vec<Vec<usize>>,
    /// For each item, those above that it is tied to.
    pub(crate) above: Vec<Vec<usize>>,
    /// For each item, those below.
    pub(crate) below: Vec<Vec<usize>>,
}

/// How often the rows are gone through at most.
const SWEEPS: usize = 12;

/// How many items are looked at in all: of more, each is looked at less often.
const EFFORT: usize = 500_000;

/// After so many without fewer crossings it is enough.
const PATIENCE: usize = 4;

impl Rows {
    /// Puts the items of each row in a better order.
    pub(crate) fn sort(&mut self) {
        let items = self.above.len();
        let mut place = vec![0.0; items];
        let mut best = self.rows.clone();
        let mut fewest = self.crossings();
        let mut waited = 0;
        for sweep in 0..(EFFORT / items.max(1)).clamp(2, SWEEPS) {
            if fewest == 0 || waited == PATIENCE {
                break;
            }
            self.sweep(&mut place, sweep % 2 == 0);
            self.swap(sweep % 2 == 0);
            let crossings = self.crossings();
            if crossings < fewest {
                (fewest, waited) = (crossings, 0);
                best.clone_from(&self.rows);
            } else {
                waited += 1;
            }
        }
        self.rows = best;
    }

    /// Sorts each row by where its items' neighbours in the row before are.
    fn sweep(&mut self, place: &mut [f64], down: bool) {
        let rows = self.rows.len();
        let numbers: Vec<usize> =
            if down { (0..rows).collect() } else { (0..rows).rev().collect() };
        for number in numbers {
            let neighbours = if down { &self.above } else { &self.below };
            let row = &mut self.rows[number];
            let mut keyed: Vec<(f64, usize)> = row
                .iter()
                .enumerate()
                .map(|(at, &item)| (middle(&neighbours[item], place).unwrap_or(at as f64), item))
                .collect();
            keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
            for (at, (_, item)) in keyed.into_iter().enumerate() {
                row[at] = item;
            }
            for (at, &item) in row.iter().enumerate() {
                place[item] = at as f64;
            }
        }
    }

    /// Exchanges neighbours where that saves crossings.
    fn swap(&mut self, down: bool) {
        let mut place = vec![0; self.above.len()];
        for row in &self.rows {
            for (at, &item) in row.iter().enumerate() {
                place[item] = at;
            }
        }
        let rows = self.rows.len();
        let numbers: Vec<usize> =
            if down { (0..rows).collect() } else { (0..rows).rev().collect() };
        for number in numbers {
            for at in 1..self.rows[number].len() {
                let (left, right) = (self.rows[number][at - 1], self.rows[number][at]);
                let count = |ties: &[Vec<usize>], one: usize, other: usize| {
                    crossed(&ties[one], &ties[other], &place)
                };
                let now = count(&self.above, left, right) + count(&self.below, left, right);
                let then = count(&self.above, right, left) + count(&self.below, right, left);
                if then < now {
                    self.rows[number].swap(at - 1, at);
                    (place[left], place[right]) = (place[right], place[left]);
                }
            }
        }
    }

    /// How many pairs of ties cross.
    pub(crate) fn crossings(&self) -> usize {
        let mut place = vec![0; self.above.len()];
        for row in &self.rows {
            for (at, &item) in row.iter().enumerate() {
                place[item] = at;
            }
        }
        let between = |row: &Vec<usize>, next: &Vec<usize>| {
            let ends = row.iter().flat_map(|&item| {
                let mut below: Vec<usize> = self.below[item].iter().map(|&to| place[to]).collect();
                below.sort_unstable();
                below
            });
            inversions(ends, next.len())
        };
        self.rows.windows(2).map(|pair| between(&pair[0], &pair[1])).sum()
    }
}

/// How many of the numbers, which are below `limit`, stand after a greater one, pair by pair.
fn inversions(numbers: impl Iterator<Item = usize>, limit: usize) -> usize {
    let mut tree = vec![0_usize; limit + 1];
    let (mut count, mut seen) = (0, 0);
    for number in numbers {
        let (mut at, mut not_greater) = (number + 1, 0);
        while at > 0 {
            not_greater += tree[at];
            at &= at - 1;
        }
        count += seen - not_greater;
        seen += 1;
        at = number + 1;
        while at <= limit {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    count
}

/// The middle of the places of `items`: of two middle ones, between them.
fn middle(items: &[usize], place: &[f64]) -> Option<f64> {
    let mut places: Vec<f64> = items.iter().map(|&item| place[item]).collect();
    places.sort_by(f64::total_cmp);
    let half = places.len() / 2;
    match places.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(places[half]),
        _ => Some(f64::midpoint(places[half - 1], places[half])),
    }
}

/// How many ties cross if `left` is left of `right`, given what they are tied to.
fn crossed(left: &[usize], right: &[usize], place: &[usize]) -> usize {
    let pairs = |&one: &usize| right.iter().filter(|&&other| place[other] < place[one]).count();
    left.iter().map(pairs).sum()
}
