//! Edges that go straight where they can.

/// How far sideways an edge need not go, in pixels: less than half of the least room between things.
const NEAR: f64 = 8.0;

/// Lets edges go straight down for as many rows as their neighbours leave room.
///
/// `rows` are the things of each row from the left, `widths` what they take, `gap` is the least room
/// between two. `lanes` are the things of each edge that may move, from the top; `middles` are where
/// things are, from 0 for the leftmost edge of all, which they stay right of.
pub(crate) fn straighten<'a>(
    rows: &[Vec<usize>],
    widths: &[f64],
    gap: f64,
    lanes: impl Iterator<Item = &'a [usize]>,
    middles: &mut [f64],
) {
    let mut beside = vec![(None, None); widths.len()];
    for row in rows {
        for pair in row.windows(2) {
            beside[pair[0]].1 = Some(pair[1]);
            beside[pair[1]].0 = Some(pair[0]);
        }
    }
    let all = (0..widths.len()).map(|thing| middles[thing] + widths[thing] / 2.0);
    let right = all.fold(0.0, f64::max);
    let room = |thing: usize, middles: &[f64]| {
        let apart = |other: usize| (widths[thing] + widths[other]) / 2.0 + gap;
        let low = beside[thing].0.map_or(widths[thing] / 2.0, |l| middles[l] + apart(l));
        let high = beside[thing].1.map_or(right - widths[thing] / 2.0, |r| middles[r] - apart(r));
        // Where it is there is room, whatever rounding says.
        (low.min(middles[thing]), high.max(middles[thing]))
    };
    for mut way in lanes {
        while let Some(&first) = way.first() {
            let (mut low, mut high) = room(first, middles);
            let mut count = 1;
            for &lane in &way[1..] {
                let (left, right) = room(lane, middles);
                if low.max(left) > high.min(right) {
                    break;
                }
                (low, high) = (low.max(left), high.min(right));
                count += 1;
            }
            let (run, rest) = way.split_at(count);
            let mean = run.iter().map(|&lane| middles[lane]).sum::<f64>() / count as f64;
            run.iter().for_each(|&lane| middles[lane] = mean.clamp(low, high));
            way = rest;
        }
    }
}

/// Takes turns out of a course that are too small to be meant.
///
/// The first or the last point stays where it is if that end `is_fixed`.
pub(crate) fn smooth(points: &mut [(f64, f64)], is_fixed: (bool, bool)) {
    let last = points.len().saturating_sub(1);
    let mut from = 0;
    while from <= last && !points.is_empty() {
        let (mut left, mut right) = (points[from].0, points[from].0);
        let mut end = from + 1;
        while end <= last && right.max(points[end].0) - left.min(points[end].0) < NEAR {
            (left, right) = (left.min(points[end].0), right.max(points[end].0));
            end += 1;
        }
        let begins = (from == 0 && is_fixed.0).then(|| points[0].0);
        let ends = (end > last && is_fixed.1).then(|| points[last].0);
        let x = match (begins, ends) {
            (Some(one), Some(other)) if one != other => None,
            (Some(x), _) | (None, Some(x)) => Some(x),
            (None, None) => Some(f64::midpoint(left, right)),
        };
        if let Some(x) = x {
            points[from..end].iter_mut().for_each(|point| point.0 = x);
        }
        from = end;
    }
}
