//! One level: rows of items and of what edges need between them, and the courses of edges.

use crate::level::{Content, Level};
use crate::order::Rows;
use crate::place::{places, Tie};
use crate::size::{label_size, node_size, Rect, HEADROOM, PADDING};
use crate::straight::{smooth, straighten};
use crate::text;
use crate::Drawing;

/// The least room between two things in a row.
const GAP: f64 = 26.0;

/// The same between two rows; every other row is for edges alone.
const RISE: f64 = 20.0;

/// And at the most: the further an edge goes sideways, the more it gets.
const STEEPEST: f64 = 64.0;

/// The room that an edge takes where it passes a row.
const LANE: f64 = 4.0;

/// How far a loop reaches out of its node.
const LOOP: f64 = 26.0;

type Course = (Vec<(f64, f64)>, Option<Rect>);

/// A level, from its own top left.
#[derive(Default)]
pub(crate) struct Geometry {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Where its items are.
    pub(crate) boxes: Vec<Rect>,
    /// The course of each of its parts, from the top, and where the label is.
    pub(crate) courses: Vec<Course>,
    /// The same of loops.
    pub(crate) loops: Vec<Course>,
    /// Where edges go through the rim, from the left, and whether at the top.
    ports: Vec<(usize, f64, bool)>,
}

impl Geometry {
    /// Lays out a level whose boxes are laid out.
    pub(crate) fn new(
        graph: &Drawing,
        level: &Level,
        layers: &[usize],
        inner: &[Geometry],
    ) -> Self {
        let mut work = Work::new(graph, level, inner);
        work.fill(layers);
        work.order();
        work.place();
        work.finish()
    }

    fn port(&self, edge: usize) -> f64 {
        let found = self.ports.iter().find(|(of, ..)| *of == edge);
        found.map_or(self.width / 2.0, |(_, x, _)| *x)
    }

    /// Where edges go through the rim at the top, from the left.
    pub(crate) fn entries(&self) -> Vec<f64> {
        let mut entries: Vec<f64> =
            self.ports.iter().filter(|port| port.2).map(|port| port.1).collect();
        entries.sort_by(f64::total_cmp);
        entries
    }

    /// How far from the left of a box that is so wide it begins.
    pub(crate) fn indent(&self, width: f64) -> f64 {
        (width - self.width) / 2.0
    }
}

/// A level while it is laid out. Its things are its items, and then the lanes of its parts.
struct Work<'a> {
    graph: &'a Drawing,
    level: &'a Level,
    inner: &'a [Geometry],
    /// Width and height of each thing, loops included.
    sizes: Vec<(f64, f64)>,
    /// How much room at the right of an item its loops take.
    beside: Vec<f64>,
    rows: Vec<Vec<usize>>,
    /// For each part, the things that it goes through, ends included.
    ways: Vec<Vec<usize>>,
    middles: Vec<f64>,
    /// The height of each row's highest thing.
    heights: Vec<f64>,
}

/// Where things are, but for what edges do.
struct Frame {
    /// Where each row begins.
    tops: Vec<f64>,
    row_of: Vec<usize>,
    boxes: Vec<Rect>,
}

/// How a part meets an item.
#[derive(Clone, Copy)]
struct End {
    /// How far from the anchor.
    shift: f64,
    /// Whether it is to be there exactly: others are beside it, or go on from there.
    is_fixed: bool,
}

impl End {
    const FIXED: Self = Self { shift: 0.0, is_fixed: true };
}

impl<'a> Work<'a> {
    fn new(graph: &'a Drawing, level: &'a Level, inner: &'a [Geometry]) -> Self {
        let mut beside = vec![0.0; level.items.len()];
        for &edge in &level.loops {
            let item =
                level.items.iter().position(|c| *c == Content::Node(graph.edges[edge].source));
            let label = label_size(graph, edge).map_or(0.0, |(width, _)| width);
            if let Some(item) = item {
                beside[item] += LOOP + label;
            }
        }
        let sizes = level.items.iter().zip(&beside);
        let sizes = sizes
            .map(|(content, beside)| match *content {
                Content::Node(node) => {
                    let (width, height) = node_size(graph, node);
                    (width + beside, height)
                }
                Content::Cluster(cluster) => {
                    let within = &inner[cluster + 1];
                    let label = text::plate(&graph.clusters[cluster].label).0 + 2.0 * PADDING;
                    let width = (within.width + 2.0 * PADDING).max(label);
                    (width, within.height + HEADROOM + PADDING)
                }
                Content::Port(..) => (LANE, 0.0),
            })
            .collect();
        let (rows, ways, middles, heights) = Default::default();
        Self { graph, level, inner, sizes, beside, rows, ways, middles, heights }
    }

    /// Puts items into their rows, and lanes for every part into the rows that it passes.
    fn fill(&mut self, layers: &[usize]) {
        let last = layers.iter().copied().max().unwrap_or(0);
        self.rows = vec![Vec::new(); last * 2 + 1];
        for (item, layer) in layers.iter().enumerate() {
            self.rows[layer * 2].push(item);
        }
        for part in &self.level.parts {
            let (top, bottom) = (layers[part.from] * 2, layers[part.to] * 2);
            let mut way = vec![part.from];
            // The label is nearer to where the edge begins.
            let labelled = if part.is_up { bottom - 1 } else { top + 1 };
            for row in top + 1..bottom {
                let lane = self.sizes.len();
                let label = label_size(self.graph, part.edge).filter(|_| part.has_label);
                let size = label.filter(|_| row == labelled).unwrap_or((LANE, 0.0));
                self.sizes.push(size);
                self.rows[row].push(lane);
                way.push(lane);
            }
            way.push(part.to);
            self.ways.push(way);
        }
        let height = |row: &Vec<usize>| row.iter().map(|&t| self.sizes[t].1).fold(0.0, f64::max);
        self.heights = self.rows.iter().map(height).collect();
    }

    fn order(&mut self) {
        let things = self.sizes.len();
        let (mut above, mut below) = (vec![Vec::new(); things], vec![Vec::new(); things]);
        for way in &self.ways {
            for pair in way.windows(2) {
                below[pair[0]].push(pair[1]);
                above[pair[1]].push(pair[0]);
            }
        }
        let mut rows = Rows { rows: std::mem::take(&mut self.rows), above, below };
        rows.sort();
        self.rows = rows.rows;
    }

    fn place(&mut self) {
        let things = self.sizes.len();
        let mut above: Vec<Vec<Tie>> = Vec::new();
        let mut below: Vec<Vec<Tie>> = Vec::new();
        above.resize_with(things, Vec::new);
        below.resize_with(things, Vec::new);
        for (way, part) in self.ways.iter().zip(&self.level.parts) {
            for (at, pair) in way.windows(2).enumerate() {
                let (upper, lower) = (pair[0], pair[1]);
                let ends = usize::from(at == 0) + usize::from(at + 2 == way.len());
                // What is between is to be straight.
                let weight = [8.0, 2.0, 1.0][ends];
                let offset = self.anchor(lower, part.edge) - self.anchor(upper, part.edge);
                below[upper].push(Tie { item: lower, offset, weight });
                above[lower].push(Tie { item: upper, offset: -offset, weight });
            }
        }
        let widths: Vec<f64> = self.sizes.iter().map(|size| size.0).collect();
        self.middles = places(&self.rows, &widths, GAP, &above, &below);
        let lanes = self.ways.iter().map(|way| &way[1..way.len() - 1]);
        straighten(&self.rows, &widths, GAP, lanes, &mut self.middles);
    }

    /// How far from a thing's middle an edge meets it.
    fn anchor(&self, thing: usize, edge: usize) -> f64 {
        match self.level.items.get(thing) {
            Some(Content::Node(_)) => -self.beside[thing] / 2.0,
            Some(Content::Cluster(cluster)) => {
                let within = &self.inner[cluster + 1];
                within.indent(self.sizes[thing].0) + within.port(edge) - self.sizes[thing].0 / 2.0
            }
            Some(Content::Port(..)) | None => 0.0,
        }
    }

    fn finish(self) -> Geometry {
        let tops = self.tops();
        let row_of = self.row_of();
        let boxes: Vec<Rect> = (0..self.level.items.len())
            .map(|item| {
                let (width, own) = self.sizes[item];
                let row = row_of[item];
                Rect {
                    x: self.middles[item] - width / 2.0,
                    y: tops[row] + (self.heights[row] - own) / 2.0,
                    width: width - self.beside[item],
                    height: own,
                }
            })
            .collect();
        let frame = Frame { tops, row_of, boxes };
        let ends = self.spread();
        let courses = (0..self.ways.len()).map(|number| self.course(number, ends[number], &frame));
        let courses = courses.collect();
        let ports =
            self.level.items.iter().enumerate().filter_map(|(item, content)| match content {
                Content::Port(edge, is_top) => Some((*edge, self.middles[item], *is_top)),
                _ => None,
            });
        let ports = ports.collect();
        let rights =
            (0..self.sizes.len()).map(|thing| self.middles[thing] + self.sizes[thing].0 / 2.0);
        let width = rights.fold(0.0, f64::max);
        let height = self.bottom(self.rows.len() - 1, &frame);
        let loops = self.loops(&frame.boxes);
        Geometry { width, height, boxes: frame.boxes, courses, loops, ports }
    }

    fn row_of(&self) -> Vec<usize> {
        let mut row_of = vec![0; self.sizes.len()];
        for (number, row) in self.rows.iter().enumerate() {
            row.iter().for_each(|&thing| row_of[thing] = number);
        }
        row_of
    }

    fn bottom(&self, row: usize, frame: &Frame) -> f64 {
        frame.tops[row] + self.heights[row]
    }

    /// The course of a part that begins and ends so far from its anchors.
    fn course(&self, number: usize, ends: (End, End), frame: &Frame) -> Course {
        let (part, way) = (&self.level.parts[number], &self.ways[number]);
        let mut points = Vec::new();
        let mut label = None;
        for &lane in &way[1..way.len() - 1] {
            let (row, x) = (frame.row_of[lane], self.middles[lane]);
            let (width, height) = self.sizes[lane];
            // A row in which nothing stands is no reason to turn.
            if self.heights[row] > 0.0 {
                points.extend([(x, frame.tops[row]), (x, self.bottom(row, frame))]);
            }
            if width > LANE {
                let y = frame.tops[row] + (self.heights[row] - height) / 2.0;
                label = Some(Rect { x: x - width / 2.0, y, width, height });
            }
        }
        let at =
            |item: usize, shift: f64| self.middles[item] + self.anchor(item, part.edge) + shift;
        let rect = |item: usize| frame.boxes[item];
        let is_port = |item| matches!(self.level.items[item], Content::Port(..));
        let (from, to) = (at(part.from, ends.0.shift), at(part.to, ends.1.shift));
        let top = rect(part.from).y + rect(part.from).height;
        let top = if is_port(part.from) { -HEADROOM } else { top };
        points.splice(0..0, [(from, top), (from, self.bottom(frame.row_of[part.from], frame))]);
        let bottom = self.bottom(self.rows.len() - 1, frame) + PADDING;
        let bottom = if is_port(part.to) { bottom } else { rect(part.to).y };
        points.extend([(to, frame.tops[frame.row_of[part.to]]), (to, bottom)]);
        smooth(&mut points, (ends.0.is_fixed, ends.1.is_fixed));
        points.dedup();
        (points, label)
    }

    /// Where the rows begin. Where edges go far sideways there is more room, so that they are not flat.
    fn tops(&self) -> Vec<f64> {
        let mut sideways = vec![0.0_f64; self.rows.len()];
        let row_of = self.row_of();
        for (way, part) in self.ways.iter().zip(&self.level.parts) {
            for pair in way.windows(2) {
                let at = |thing| self.middles[thing] + self.anchor(thing, part.edge);
                let row = row_of[pair[1]];
                sideways[row] = sideways[row].max((at(pair[1]) - at(pair[0])).abs());
            }
        }
        let mut tops = Vec::with_capacity(self.rows.len());
        let mut top = 0.0;
        for (row, &far) in sideways.iter().enumerate() {
            if row > 0 {
                top += (far * 0.12).clamp(RISE, STEEPEST);
            }
            tops.push(top);
            top += self.heights[row];
        }
        tops
    }

    /// How each part begins and ends: those of a node side by side.
    fn spread(&self) -> Vec<(End, End)> {
        let mut ends = vec![(End::FIXED, End::FIXED); self.ways.len()];
        for item in 0..self.level.items.len() {
            let Content::Node(_) = self.level.items[item] else { continue };
            for is_top in [false, true] {
                let mut parts: Vec<usize> = (0..self.ways.len())
                    .filter(|&number| {
                        let part = &self.level.parts[number];
                        item == if is_top { part.to } else { part.from }
                    })
                    .collect();
                let next = |number: usize| {
                    let way = &self.ways[number];
                    self.middles[if is_top { way[way.len() - 2] } else { way[1] }]
                };
                parts.sort_by(|&one, &other| next(one).total_cmp(&next(other)));
                let room = self.sizes[item].0 - self.beside[item] - 20.0;
                let step = (room / parts.len().max(1) as f64).min(16.0);
                for (at, &number) in parts.iter().enumerate() {
                    let shift = (at as f64 - (parts.len() as f64 - 1.0) / 2.0) * step;
                    let end = End { shift, is_fixed: parts.len() > 1 };
                    *(if is_top { &mut ends[number].1 } else { &mut ends[number].0 }) = end;
                }
            }
        }
        ends
    }

    /// Loops, at the right of their nodes, one around the other.
    fn loops(&self, boxes: &[Rect]) -> Vec<Course> {
        let mut reach = vec![0.0; boxes.len()];
        let course = |&edge: &usize| {
            let node = Content::Node(self.graph.edges[edge].source);
            let Some(item) = self.level.items.iter().position(|c| *c == node) else {
                return (Vec::new(), None);
            };
            let rect = boxes[item];
            let right = rect.x + rect.width;
            let (low, high) = (rect.y + rect.height * 0.72, rect.y + rect.height * 0.28);
            let out = right + reach[item] + LOOP - 8.0;
            let label = label_size(self.graph, edge).map(|(width, height)| Rect {
                x: out + 2.0,
                y: rect.y + (rect.height - height) / 2.0,
                width,
                height,
            });
            reach[item] += LOOP + label.map_or(0.0, |label| label.width);
            (vec![(right, low), (out, f64::midpoint(low, high)), (right, high)], label)
        };
        self.level.loops.iter().map(course).collect()
    }
}
