//! A plot with a line for each contender.

use super::super::report::number;
use super::super::verdict::Spread;
use super::axis::{Axis, short};
use super::digest;
use super::looks;
use super::svg::{Anchor, Svg, WIDTH};

pub struct Point {
    pub x: f64,
    pub y: Spread,
    pub load_bound: bool,
}

pub struct Series {
    pub name: String,
    pub points: Vec<Point>,
}

pub struct Lines<'a> {
    /// One that the page has once.
    pub id: &'a str,
    pub title: &'a str,
    /// What is to be seen, for those who do not see it.
    pub description: &'a str,
    pub x_label: &'a str,
    pub y_label: &'a str,
    pub series: Vec<Series>,
}

const LEFT: f64 = 50.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 30.0;
/// Below the axis are its ticks and its label.
const FOOT: f64 = 54.0;

/// A wild round may stretch the axis by this, not by more: it would flatten all others.
const STRETCH: f64 = 1.6;

impl Lines<'_> {
    /// Many lines need more room between them.
    fn height(&self) -> f64 {
        if self.series.len() > 10 { 400.0 } else { 330.0 }
    }

    fn bottom(&self) -> f64 {
        self.height() - FOOT
    }

    pub fn draw(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let xs: Vec<f64> = points().map(|point| point.x).collect();
        let (x, y) = (Axis::log(&xs, (LEFT + 16.0, RIGHT - 10.0)), self.vertical());
        let mut svg = Svg::default();
        self.frame(&mut svg, &x, &y, xs);
        // What they are compared with lies below, and ours on top.
        let floors = self.series.iter().filter(|series| digest::is_floor(&series.name));
        for series in floors.clone() {
            noise(&mut svg, series, &x, &y);
        }
        let others = self.series.iter().rev().filter(|series| !digest::is_floor(&series.name));
        for (index, series) in floors.chain(others).enumerate() {
            // Whiskers of all at one place would hide each other.
            let aside = (index % 9) as f64 - 4.0;
            line(&mut svg, series, &x, &y, aside);
        }
        svg.finish(self.id, self.height(), self.title, self.description)
    }

    fn vertical(&self) -> Axis {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for point in points() {
            (low, high) = (low.min(point.y.median), high.max(point.y.median));
        }
        let within = |value: &f64| *value >= low / STRETCH && *value <= high * STRETCH;
        let all = points().flat_map(|point| [point.y.min, point.y.median, point.y.max]).filter(within);
        Axis::of(&all.collect::<Vec<_>>(), (self.bottom(), TOP))
    }

    fn frame(&self, svg: &mut Svg, x: &Axis, y: &Axis, mut xs: Vec<f64>) {
        let bottom = self.bottom();
        for tick in y.ticks(7) {
            let at = y.at(tick);
            svg.line("grid", (LEFT, at), (RIGHT, at));
            svg.text("t", (LEFT - 6.0, at + 4.5), Anchor::End, &short(tick));
        }
        svg.line("axis", (LEFT, bottom), (RIGHT, bottom));
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        let mut last = f64::INFINITY;
        for value in xs.into_iter().rev() {
            let at = x.at(value);
            svg.line("axis", (at, bottom), (at, bottom + 5.0));
            // From the right, because the last place is the one that is spoken of.
            if last - at > 34.0 {
                svg.text("t", (at, bottom + 19.0), Anchor::Middle, &short(value));
                last = at;
            }
        }
        let scale = |axis: &Axis| if axis.is_log() { ", log scale" } else { "" };
        let apart = if x.has_zero_apart() { ", 0 set apart" } else { "" };
        let middle = f64::midpoint(LEFT, RIGHT);
        svg.text("a", (middle, self.height() - 12.0), Anchor::Middle, &format!("{}{}{apart}", self.x_label, scale(x)));
        svg.text("a", (2.0, 16.0), Anchor::Start, &format!("{}{}, less is better", self.y_label, scale(y)));
    }
}

/// The area in which a difference from the floor is none.
fn noise(svg: &mut Svg, series: &Series, x: &Axis, y: &Axis) {
    let edge = |point: &Point, sign: f64| (x.at(point.x), y.at(point.y.median + sign * 2.0 * point.y.deviation));
    let upper = series.points.iter().map(|point| edge(point, 1.0));
    let lower = series.points.iter().rev().map(|point| edge(point, -1.0));
    svg.through("noise", "", &upper.chain(lower).collect::<Vec<_>>(), true);
}

fn line(svg: &mut Svg, series: &Series, x: &Axis, y: &Axis, aside: f64) {
    let look = looks::of(&series.name);
    let floor = if digest::is_floor(&series.name) { " floor" } else { "" };
    svg.open(&format!("s{floor} {}", looks::class(&series.name)));
    for Point { x: at, y: spread, .. } in &series.points {
        let at = x.at(*at) + aside;
        svg.line("w", (at, y.at(spread.min)), (at, y.at(spread.max)));
    }
    let places: Vec<_> = series.points.iter().map(|point| (x.at(point.x), y.at(point.y.median))).collect();
    svg.through("l", look.dash, &places, false);
    for (point, place) in series.points.iter().zip(places) {
        if point.load_bound {
            svg.ring(place);
        }
        let (median, min, max) = (number(point.y.median), number(point.y.min), number(point.y.max));
        let bound = if point.load_bound { ", the load was the limit" } else { "" };
        let tip = format!("{} at {}: {median} ({min} - {max}){bound}", series.name, short(point.x));
        svg.marker(look.shape, look.filled, place, &tip);
    }
    svg.close();
}
