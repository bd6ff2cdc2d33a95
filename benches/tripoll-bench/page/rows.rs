//! A plot with a row for each contender: a dot with its spread, or a bar.

use super::super::contender::Family;
use super::super::report::number;
use super::super::verdict::Spread;
use super::axis::{Axis, short};
use super::looks;
use super::svg::{Anchor, Svg, WIDTH};

pub struct Row {
    pub name: String,
    pub value: Spread,
    /// What stands at its end.
    pub text: String,
    /// How far from 1 a ratio may be and yet be the same.
    pub noise: f64,
    pub load_bound: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Dots around a line at 1.
    Ratios,
    /// Lengths from zero, or dots on a logarithmic axis if they are too different.
    Values,
}

pub struct Rows<'a> {
    /// One that the page has once.
    pub id: &'a str,
    pub title: &'a str,
    /// What is to be seen, for those who do not see it.
    pub description: &'a str,
    pub label: &'a str,
    /// What the texts at the ends are.
    pub text_label: &'a str,
    pub manner: Manner,
    pub rows: Vec<Row>,
}

const LEFT: f64 = 114.0;
const RIGHT: f64 = WIDTH - 66.0;
const TOP: f64 = 28.0;
const STEP: f64 = 21.0;
/// Bars that are further apart than this would be too short to be seen.
const FAR: f64 = 60.0;

impl Rows<'_> {
    /// `shared` are the values that plots beside this one have: all get the same axis.
    pub fn draw(&self, shared: &[f64]) -> String {
        let axis = self.axis(shared);
        let bars = self.manner == Manner::Values && !axis.is_log();
        let mut svg = Svg::default();
        let headings = self.rows.chunk_by(|a, b| looks::family(&a.name) == looks::family(&b.name));
        let lines = self.rows.len() + headings.filter(|rows| looks::family(&rows[0].name) != Family::Floor).count();
        let bottom = TOP + STEP * lines as f64 + 6.0;
        for tick in axis.ticks(5) {
            let at = axis.at(tick);
            svg.line("grid", (at, TOP), (at, bottom));
            svg.text("t", (at, bottom + 16.0), Anchor::Middle, &short(tick));
        }
        let mut at = TOP + STEP / 2.0 + 3.0;
        let mut family = Family::Floor;
        for row in &self.rows {
            if looks::family(&row.name) != family {
                family = looks::family(&row.name);
                svg.text("h", (0.0, at + 5.0), Anchor::Start, looks::family_name(family));
                at += STEP;
            }
            row.draw(&mut svg, &axis, bars, at);
            at += STEP;
        }
        if self.manner == Manner::Ratios {
            svg.line("one", (axis.at(1.0), TOP), (axis.at(1.0), bottom));
        }
        let scale = if axis.is_log() { ", log scale" } else { "" };
        svg.text("a", (0.0, 16.0), Anchor::Start, &format!("{}{scale}", self.label));
        svg.text("a", (WIDTH, 16.0), Anchor::End, self.text_label);
        svg.finish(self.id, bottom + 24.0, self.title, self.description)
    }

    fn axis(&self, shared: &[f64]) -> Axis {
        let span = (LEFT, RIGHT);
        if self.manner == Manner::Ratios {
            return Axis::of_ratios(shared, span);
        }
        let (low, high) = shared.iter().fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(*v), high.max(*v)));
        if low > 0.0 && high > FAR * low { Axis::log(shared, span) } else { Axis::from_zero(shared, span) }
    }
}

impl Row {
    fn draw(&self, svg: &mut Svg, axis: &Axis, bar: bool, y: f64) {
        let Spread { median, min, max, .. } = self.value;
        let (look, floor) = (looks::of(&self.name), looks::family(&self.name) == Family::Floor);
        let (indent, name) = if floor { (0.0, self.name.as_str()) } else { (10.0, looks::short_name(&self.name)) };
        if self.noise > 0.0 {
            let half = STEP / 2.0;
            svg.rect("noise", (axis.at(1.0 - self.noise), y - half), (axis.at(1.0 + self.noise), y + half));
        }
        svg.text(if floor { "h" } else { "n" }, (indent, y + 5.0), Anchor::Start, name);
        svg.open(&format!("s{} {}", if floor { " floor" } else { "" }, looks::class(&self.name)));
        if bar {
            svg.rect("bar", (axis.at(0.0), y - 5.0), (axis.at(median), y + 5.0));
        }
        if axis.is_beyond(median) {
            // It stands at the end, and says where it would be.
            svg.text("n far", (axis.at(median) - 10.0, y + 5.0), Anchor::End, &format!("{} \u{2192}", number(median)));
            svg.marker(look.shape, look.filled, (axis.at(median), y), &self.tip());
            svg.close();
            svg.text("n", (WIDTH, y + 5.0), Anchor::End, &self.text);
            return;
        }
        svg.line("w", (axis.at(min), y), (axis.at(max), y));
        // A whisker that goes on beyond the picture has an arrow.
        for (beyond, sign) in [(min, -1.0), (max, 1.0)] {
            if axis.is_beyond(beyond) {
                let tip = axis.at(beyond);
                let corners = [(tip - 5.0 * sign, y - 3.5), (tip + sign, y), (tip - 5.0 * sign, y + 3.5)];
                svg.through("w", "", &corners, false);
            }
        }
        let place = (axis.at(median), y);
        if self.load_bound {
            svg.ring(place);
        }
        svg.marker(look.shape, look.filled, place, &self.tip());
        svg.close();
        svg.text("n", (WIDTH, y + 5.0), Anchor::End, &self.text);
    }

    fn tip(&self) -> String {
        let Spread { median, min, max, .. } = self.value;
        let bound = if self.load_bound { ", the load was the limit" } else { "" };
        format!("{}: {} ({} - {}){bound}", self.name, number(median), number(min), number(max))
    }
}
