//! Two mechanisms against each other: the waits in which they part, and the rules by which each answers.

use super::paper::{Line, Paper, Tone};
use super::reasons;
use super::timeline::{Sight, number};
use crate::kit::{Action, Bits, Cell, Happened, Mechanism, Truth, words};

/// Draws all steps; the waits in which the two disagree are marked. Answers how many there are.
pub(crate) fn draw(paper: &mut Paper, sight: &Sight<'_>) -> usize {
    let [left, right] = sight.runs else { return 0 };
    let mechanisms = sight.mechanisms();
    let longest = mechanisms.iter().map(|mechanism| mechanism.name().len()).max().unwrap_or_default();
    let narrow = paper.look.width < 2 * (INDENT + longest + 4);
    let mut parted = 0;
    paper.gap();
    for (index, step) in sight.lesson.steps.iter().enumerate() {
        let label = match &step.action {
            Action::Wait { label, .. } => label,
            Action::Say { .. } => continue,
            action => {
                deed(paper, sight, index, &words(action));
                continue;
            }
        };
        let apart = part(&left.steps[index], &right.steps[index], left.mechanism, right.mechanism);
        parted += usize::from(apart);
        let mut head = number(step);
        head.push(Tone::Alarm, if apart { "≠ " } else { "  " });
        paper.headed(head, if apart { Tone::Strong } else { Tone::Faint }, label);
        for mark in sight.marks(index) {
            let mut head = Line::default();
            head.pad(INDENT);
            head.append(mark.signs());
            if narrow {
                paper.headed(head, mark.tone(), &format!("{}: {}", mark.mechanism, mark.text()));
            } else {
                head.push(Tone::Plain, format!("{:<longest$}  ", mark.mechanism.name()));
                paper.headed(head, mark.tone(), &mark.text());
            }
            if apart {
                reasons::write(
                    paper,
                    sight.forecasts,
                    &[mark.mechanism],
                    index,
                    (INDENT + 2).min(paper.look.width / 4),
                );
            }
        }
    }
    let waits = sight.lesson.steps.iter().filter(|step| matches!(step.action, Action::Wait { .. })).count();
    paper.gap();
    paper.text(Tone::Strong, "", &verdict(left.mechanism, right.mechanism, parted, waits));
    parted
}

/// Behind the number and the sign for a wait in which they part.
const INDENT: usize = 7;

const NOTHING: &str = "nothing to be done";

fn verdict(left: Mechanism, right: Mechanism, parted: usize, waits: usize) -> String {
    let waits = if waits == 1 { "the one wait".to_owned() } else { format!("{waits} waits") };
    match parted {
        0 => format!("{left} and {right} say the same in {waits}, each in its words."),
        _ => format!("{left} and {right} part in {parted} of {waits}, marked with ≠."),
    }
}

/// What was done, and where it came out otherwise under one of the two.
fn deed(paper: &mut Paper, sight: &Sight<'_>, index: usize, deed: &str) {
    let step = &sight.lesson.steps[index];
    let mut head = number(step);
    head.push(Tone::Plain, "  ");
    let answers: Vec<(Mechanism, Option<&str>)> = sight
        .happened(index)
        .map(|(mechanism, one)| (mechanism, if one.skipped { Some(NOTHING) } else { one.answer.as_deref() }))
        .collect();
    let same = answers.iter().all(|(_, answer)| *answer == answers[0].1);
    let first = answers.first().and_then(|(_, answer)| *answer).unwrap_or_default();
    match same && !first.contains('\n') {
        true if first == NOTHING => paper.headed(head, Tone::Faint, &format!("{deed} ({NOTHING} here)")),
        true if first.is_empty() || first == "ok" => paper.headed(head, Tone::Deed, deed),
        true => paper.headed(head, Tone::Deed, &format!("{deed} = {first}")),
        false => {
            paper.headed(head, Tone::Deed, deed);
            for (mechanism, answer) in answers {
                let mut head = Line::default();
                head.pad(INDENT);
                head.push(Tone::Plain, format!("{mechanism}: "));
                for line in answer.unwrap_or("done").lines() {
                    paper.headed(head.clone(), Tone::Plain, line);
                }
            }
        }
    }
}

/// Whether the two said different things, apart from their vocabularies.
fn part(left: &Happened, right: &Happened, of_left: Mechanism, of_right: Mechanism) -> bool {
    let (Some(first), Some(second)) = (&left.reported, &right.reported) else { return left.reported != right.reported };
    let (Cell::Reported(one), Cell::Reported(other)) = (first, second) else { return first != second };
    let mut names: Vec<&String> = one.iter().chain(other).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    names.into_iter().any(|name| {
        let asked = watched(&left.truth, name) | watched(&right.truth, name);
        let (mine, yours) = (first.of(name), second.of(name));
        // Each may have fewer words than the other; what it would make of the other's is what can be compared.
        mine != said_by(of_left, yours, asked) && yours != said_by(of_right, mine, asked)
    })
}

fn watched(truths: &[Truth], name: &str) -> Bits {
    truths.iter().find(|truth| truth.name == name).and_then(|truth| truth.watched).unwrap_or(Bits::NONE)
}

/// What a mechanism would make of bits of poll: select has three sets, of which it fills the ones that were asked for;
/// mio has a word for the end of each direction, and calls urgent data readable.
fn said_by(mechanism: Mechanism, bits: Bits, asked: Bits) -> Bits {
    let has = |bit| bits.intersects(bit);
    match mechanism {
        Mechanism::Select => {
            let all = Bits::IN.when(has(Bits::IN | Bits::HUP | Bits::ERR | Bits::RDHUP))
                | Bits::OUT.when(has(Bits::OUT | Bits::ERR))
                | Bits::PRI.when(has(Bits::PRI));
            all & asked
        }
        Mechanism::Mio => {
            let over = has(Bits::HUP) || (has(Bits::OUT) && has(Bits::ERR)) || bits == Bits::ERR;
            (bits - Bits::HUP - Bits::RDHUP)
                | Bits::IN.when(has(Bits::PRI))
                | Bits::RDHUP.when(has(Bits::HUP) || (has(Bits::IN) && has(Bits::RDHUP)))
                | Bits::HUP.when(over)
        }
        _ => bits,
    }
}
