//! How each contender looks, everywhere on the page: a colour for light and one for dark, a shape, a dash.

use super::super::contender::{self, Family};
use super::svg::{Shape, Svg, escape};
use std::fmt::Write as _;

/// Families differ by dash and by whether the marker is filled, members by shape: no one has to tell colours apart.
#[derive(Clone, Copy)]
pub struct Look {
    name: &'static str,
    light: &'static str,
    dark: &'static str,
    pub shape: Shape,
    pub dash: &'static str,
    pub filled: bool,
}

const fn ours(name: &'static str, light: &'static str, dark: &'static str, shape: Shape) -> Look {
    Look { name, light, dark, shape, dash: "", filled: true }
}

const fn of_a_crate(name: &'static str, light: &'static str, dark: &'static str, shape: Shape) -> Look {
    Look { name, light, dark, shape, dash: "7 3", filled: false }
}

const fn foreign(name: &'static str, light: &'static str, dark: &'static str, shape: Shape) -> Look {
    Look { name, light, dark, shape, dash: "2 3", filled: false }
}

const LOOKS: [Look; 18] = [
    Look { name: "floor-level", light: "#111418", dark: "#f4f6f8", shape: Shape::Bar, dash: "", filled: true },
    Look { name: "floor-edge", light: "#111418", dark: "#f4f6f8", shape: Shape::Bar, dash: "10 4", filled: false },
    ours("tripoll-select", "#c2410c", "#ff8a5c", Shape::Square),
    ours("tripoll-poll", "#a16207", "#f2c14e", Shape::Up),
    ours("tripoll-epoll-level", "#1d4ed8", "#7aa2ff", Shape::Circle),
    ours("tripoll-epoll-edge", "#0e7490", "#4cd3e6", Shape::Diamond),
    ours("tripoll-epoll-oneshot", "#7c3aed", "#c29bff", Shape::Down),
    ours("tripoll-mio", "#15803d", "#5fd38a", Shape::Pentagon),
    of_a_crate("mio", "#4d7c0f", "#a8d957", Shape::Pentagon),
    of_a_crate("polling", "#be185d", "#ff7fb6", Shape::Square),
    of_a_crate("calloop", "#7c2d12", "#d8a07a", Shape::Up),
    of_a_crate("tokio", "#b91c1c", "#ff7070", Shape::Diamond),
    foreign("asyncio", "#4d5a00", "#c9d64a", Shape::Cross),
    foreign("selectors", "#0f766e", "#4fd6c2", Shape::Plus),
    foreign("asyncore", "#86198f", "#ee8bf5", Shape::Star),
    foreign("libevent", "#475569", "#b3c0d4", Shape::Circle),
    foreign("libev", "#57534e", "#c7bfb6", Shape::Down),
    foreign("libuv", "#1e3a8a", "#9db4ff", Shape::Pentagon),
];

/// For a contender that has been added since.
const OTHER: Look = foreign("other", "#666666", "#aaaaaa", Shape::Circle);

pub fn of(name: &str) -> Look {
    LOOKS.into_iter().find(|look| look.name == name).unwrap_or(OTHER)
}

/// The class of everything that belongs to a contender.
pub fn class(name: &str) -> String {
    format!("k-{}", of(name).name)
}

/// The colours, and the rule that lets the others step back while one is pointed at in a legend.
pub fn css() -> String {
    let all = || LOOKS.into_iter().chain([OTHER]);
    let colours = |of: fn(&Look) -> &'static str| {
        all().fold(String::new(), |mut css, look| {
            let _ = write!(css, "--k-{}:{};", look.name, of(&look));
            css
        })
    };
    let mut css = format!(":root{{{}}}\n", colours(|look| look.light));
    let _ = writeln!(css, "@media (prefers-color-scheme:dark){{:root{{{}}}}}", colours(|look| look.dark));
    for Look { name, .. } in all() {
        let _ = writeln!(css, ".k-{name}{{color:var(--k-{name})}}");
        let _ = writeln!(css, "figure:has(.legend .k-{name}:hover) .s:not(.k-{name}){{opacity:.12}}");
    }
    css
}

pub fn family(name: &str) -> Family {
    contender::named(name).map_or(Family::Foreign, |contender| contender.family)
}

pub fn family_name(family: Family) -> &'static str {
    match family {
        Family::Floor => "the floor",
        Family::Tripoll => "tripoll",
        Family::Crate => "other crates",
        Family::Foreign => "other languages",
    }
}

/// The name without what its family says already.
pub fn short_name(name: &str) -> &str {
    name.strip_prefix("tripoll-").or_else(|| name.strip_prefix("floor-")).unwrap_or(name)
}

/// A name with its line and marker.
pub fn swatch(name: &str) -> String {
    let look = of(name);
    let mut svg = Svg::default();
    svg.through(&format!("l {}", class(name)), look.dash, &[(1.0, 8.0), (35.0, 8.0)], false);
    svg.marker(look.shape, look.filled, (18.0, 8.0), "");
    format!("<span class=\"key {}\">{}<span>{}</span></span>", class(name), svg.inline(36.0, 16.0), escape(name))
}

/// The contenders of a plot, each with a remark that may be empty.
pub fn legend(entries: &[(String, String)]) -> String {
    let mut html = "<ul class=\"legend\">".to_owned();
    for (name, remark) in entries {
        let remark = if remark.is_empty() { String::new() } else { format!(" <small>{}</small>", escape(remark)) };
        let _ = write!(html, "<li class=\"{}\">{}{remark}</li>", class(name), swatch(name));
    }
    html + "</ul>"
}
