//! The quiz: what will the next wait report? The kernel is asked for the answer, the oracle only for the reasons.

mod choices;
mod dice;
mod question;

use crate::choose;
use crate::complaint::Complaint;
use crate::kit::{self, Action, Lesson, Mechanism, Run, words};
use crate::options::QuizArgs;
use crate::play::forecasts;
use crate::terminal::menu::read_line;
use crate::terminal::{self, Line, Look, Paper, Tone};
use choices::{Choices, said};
use dice::Dice;
use question::Question;
use std::io::BufRead;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Questions if nobody says how many.
const QUESTIONS: u16 = 10;

/// How often in a row something else than an answer is taken for a slip.
const SLIPS: usize = 20;

/// `lab quiz`.
pub(crate) fn serve(args: &QuizArgs, look: Look, mut input: impl BufRead) -> Result<ExitCode, Complaint> {
    let mut dice = Dice::new(args.seed.unwrap_or_else(by_the_clock));
    let own = args.lesson.as_deref().map(choose::lesson).transpose()?;
    let questions = match &own {
        Some(lesson) => {
            let thrown = dice.one_of(&Mechanism::ALL).copied().unwrap_or(Mechanism::Edge);
            let most = args.questions.map_or(usize::MAX, usize::from);
            question::of_lesson(lesson, args.mechanism.unwrap_or(thrown), most)
        }
        None => {
            let count = usize::from(args.questions.unwrap_or(QUESTIONS));
            question::of_all(kit::lessons::all(), args.mechanism, count, &mut dice)
        }
    };
    if questions.is_empty() {
        return Err(Complaint::usage(
            "no step of this lesson is a plain wait, so there is nothing to guess; `lab run` shows it",
        ));
    }
    let mut round = Round { look, dice, asked: 0, right: 0, run: None };
    round.greet(questions.len())?;
    for question in questions {
        if !round.ask(question, &mut input)? {
            break;
        }
    }
    round.farewell()?;
    Ok(ExitCode::SUCCESS)
}

/// A number that is another one each time.
fn by_the_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos() & u128::from(u64::MAX)).unwrap_or_default()
}

/// What has been asked so far.
struct Round<'a> {
    look: Look,
    dice: Dice,
    asked: usize,
    right: usize,
    /// The lesson that is being asked about, how it went, and up to which step it was shown.
    run: Option<(&'a Lesson, Run, usize)>,
}

impl<'a> Round<'a> {
    fn greet(&self, count: usize) -> Result<(), Complaint> {
        let mut paper = Paper::new(self.look);
        let questions = if count == 1 { "One question".to_owned() } else { format!("{count} questions") };
        paper.text(Tone::Strong, "", &format!("{questions}: what will the next wait report?"));
        paper.text(Tone::Faint, "", "Answer by a number; q ends it.");
        Ok(paper.print()?)
    }

    /// Asks one question. Answers whether another one may be asked.
    fn ask(&mut self, question: Question<'a>, input: &mut impl BufRead) -> Result<bool, Complaint> {
        let Some((run, shown)) = self.play(question)? else { return Ok(true) };
        let before = run.steps[shown..question.wait].iter().rev().find_map(|one| one.reported.as_ref());
        let Some(choices) = Choices::new(question, &run.steps[question.wait], before, &mut self.dice) else {
            return Ok(true);
        };
        let mut paper = Paper::new(self.look);
        if shown == 0 {
            introduce(&mut paper, question);
        }
        so_far(&mut paper, question, &run, shown);
        put(&mut paper, question, &choices);
        paper.print()?;
        self.run = Some((question.lesson, run, question.wait + 1));
        let Some(answer) = self.answer(choices.texts.len(), input)? else { return Ok(false) };
        self.asked += 1;
        self.right += usize::from(answer == choices.right);
        self.reveal(question, &choices, answer == choices.right)?;
        Ok(true)
    }

    /// The run of the question's lesson, and from which step on it was not shown yet. A lesson that cannot be played here
    /// is passed over.
    fn play(&mut self, question: Question<'a>) -> Result<Option<(Run, usize)>, Complaint> {
        match self.run.take() {
            Some((lesson, run, shown)) if lesson == question.lesson && run.mechanism == question.mechanism => {
                // Questions from all over the lessons may go back.
                Ok(Some((run, if shown <= question.wait { shown } else { 0 })))
            }
            _ => match kit::run(question.lesson, question.mechanism) {
                Ok(run) => Ok(Some((run, 0))),
                Err(e) => {
                    let mut paper = Paper::new(self.look);
                    let what = format!("{} is left out, it cannot be played here: {e}", question.lesson.name);
                    paper.text(Tone::Alarm, "", &what);
                    paper.print()?;
                    Ok(None)
                }
            },
        }
    }

    /// The index of what was chosen; `None` at the end.
    fn answer(&self, count: usize, input: &mut impl BufRead) -> Result<Option<usize>, Complaint> {
        for _ in 0..SLIPS {
            let Some(line) = read_line(input)? else { return Ok(None) };
            match line.trim() {
                "q" | "quit" | "exit" => return Ok(None),
                text => match text.parse::<usize>() {
                    Ok(number) if (1..=count).contains(&number) => return Ok(Some(number - 1)),
                    _ => {
                        let mut paper = Paper::new(self.look);
                        paper.text(Tone::Alarm, "", &format!("A number from 1 to {count}, or q to end:"));
                        paper.print()?;
                    }
                },
            }
        }
        Ok(None)
    }

    fn reveal(&self, question: Question<'_>, choices: &Choices, is_right: bool) -> Result<(), Complaint> {
        let mut paper = Paper::new(self.look);
        let truth = &choices.texts[choices.right];
        if is_right {
            paper.text(Tone::Told, "", &format!("Right: {truth}."));
        } else {
            paper.text(Tone::Alarm, "", &format!("No. The kernel says: {truth}."));
        }
        let mechanisms = [question.mechanism];
        let forecasts = forecasts(question.lesson, &mechanisms);
        terminal::reasons::write(&mut paper, &forecasts, &mechanisms, question.wait, 2);
        let score = format!("{} of {} right", self.right, self.asked);
        paper.text(Tone::Faint, "  ", &score);
        Ok(paper.print()?)
    }

    fn farewell(&self) -> Result<(), Complaint> {
        let mut paper = Paper::new(self.look);
        paper.line(Line::default());
        let text = match self.asked {
            0 => "No question was answered. Until next time.".to_owned(),
            asked => format!("{} of {asked} right. `lab run NAME` shows a lesson under all mechanisms.", self.right),
        };
        paper.text(Tone::Strong, "", &text);
        Ok(paper.print()?)
    }
}

fn introduce(paper: &mut Paper, question: Question<'_>) {
    paper.line(Line::default());
    let lesson = question.lesson;
    paper.text(Tone::Strong, "", &format!("{}, under {}", lesson.title, question.mechanism));
    paper.text(Tone::Faint, "", &lesson.name);
}

/// The steps up to the question, with what they answered.
fn so_far(paper: &mut Paper, question: Question<'_>, run: &Run, shown: usize) {
    paper.line(Line::default());
    let named = question.lesson.is_named();
    let steps = question.lesson.steps.iter().zip(&run.steps).take(question.wait).skip(shown);
    for (step, happened) in steps.filter(|(_, happened)| !happened.skipped) {
        let (tone, text) = match (&step.action, &happened.reported) {
            (Action::Say { text }, _) => (Tone::Plain, text.clone()),
            (Action::Wait { label, .. }, Some(cell)) => {
                (Tone::Plain, format!("wait: {label}: {}", said(cell, question.mechanism, named)))
            }
            (action, _) => {
                let answer = happened.answer.as_deref().filter(|answer| *answer != "ok");
                let answer = answer.map(|answer| format!(" = {}", answer.replace('\n', "; "))).unwrap_or_default();
                (Tone::Deed, format!("{}{answer}", words(action)))
            }
        };
        paper.headed(terminal::number(step), tone, &text);
    }
    let lane = terminal::Lane::new(question.lesson, run.steps.iter().flat_map(|one| &one.truth));
    let lines = lane.lines(&run.steps[question.wait].truth, paper.look.width.saturating_sub(terminal::MARGIN));
    lines.into_iter().for_each(|line| paper.line(terminal::indented(terminal::MARGIN, line)));
}

fn put(paper: &mut Paper, question: Question<'_>, choices: &Choices) {
    let step = &question.lesson.steps[question.wait];
    if let Action::Wait { label, .. } = &step.action {
        paper.headed(terminal::number(step), Tone::Strong, &format!("wait: {label}"));
    }
    let text = format!("What does {} report?", question.mechanism);
    paper.text(Tone::Strong, &" ".repeat(terminal::MARGIN), &text);
    for (index, text) in choices.texts.iter().enumerate() {
        paper.headed(Line::of(Tone::Deed, format!("     {}  ", index + 1)), Tone::Plain, text);
    }
}
