//! Why a wait reported what it did, in the oracle's words.

use super::paper::{Line, Paper, Tone};
use crate::kit::{Forecast, Mechanism, Why};

/// What the oracle says of every step, for each mechanism that is shown.
pub(crate) type Forecasts = [(Mechanism, Vec<Option<Forecast>>)];

/// The reasons for one wait under one mechanism; none if the oracle does not know the situation.
pub(crate) fn of(forecasts: &Forecasts, mechanism: Mechanism, step: usize) -> &[Why] {
    let found = forecasts.iter().find(|(of, _)| *of == mechanism).and_then(|(_, steps)| steps.get(step)?.as_ref());
    found.map_or(&[], |forecast| forecast.why.as_slice())
}

/// Writes them down, indented; mechanisms for which the same is to be said are named together.
pub(crate) fn write(paper: &mut Paper, forecasts: &Forecasts, mechanisms: &[Mechanism], step: usize, indent: usize) {
    let mut groups: Vec<(Vec<Mechanism>, &[Why])> = Vec::new();
    for mechanism in mechanisms {
        let why = of(forecasts, *mechanism, step);
        match groups.iter_mut().find(|(_, other)| *other == why) {
            Some((together, _)) => together.push(*mechanism),
            None if why.is_empty() => {}
            None => groups.push((vec![*mechanism], why)),
        }
    }
    for (together, reasons) in groups {
        let mut head = Line::default();
        head.pad(indent);
        if mechanisms.len() > 1 {
            let names: Vec<&str> = together.iter().map(|mechanism| mechanism.short()).collect();
            paper.text(Tone::Strong, &" ".repeat(indent), &names.join(" "));
            head.pad(indent + 2);
        }
        let mut rule = None;
        for why in reasons {
            if rule != Some(why.rule) {
                rule = Some(why.rule);
                paper.headed(head.clone(), Tone::Faint, &format!("{}:", why.rule.title()));
            }
            let mut below = head.clone();
            below.pad(head.width() + 2);
            paper.headed(below, Tone::Plain, &why.text);
        }
    }
}
