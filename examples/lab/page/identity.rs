//! Whose registration it is: numbers, open files and what watches them, as lessons duplicate, close and reuse.
//!
//! What is drawn follows from the steps alone; what was reported afterwards stands beside it.

use super::data::{Data, LessonShown, StepShown};
use super::html::escape;
use super::shape::{Picture, width};
use crate::kit::{Action, Mechanism};

const ROW: f64 = 34.0;
const NUMBER: f64 = 0.0;
const FILE: f64 = 170.0;
const PEER: f64 = 330.0;
const SAID: f64 = 450.0;
const WIDE: f64 = 104.0;

/// A number, with the names that the lesson has for it.
#[derive(Debug)]
struct Number {
    names: Vec<String>,
    file: Option<usize>,
    /// Whether select and poll still pass it.
    passed: bool,
}

#[derive(Debug)]
struct OpenFile {
    of: String,
    peer: Option<String>,
    /// The number under which epoll has a registration of it.
    registered: Option<usize>,
}

#[derive(Debug, Default)]
struct World {
    numbers: Vec<Number>,
    files: Vec<OpenFile>,
}

impl World {
    fn place(&self, name: &str) -> Option<usize> {
        self.numbers.iter().rposition(|number| number.names.iter().any(|one| one == name))
    }

    fn open(&mut self, name: &str, peer: Option<&str>) -> usize {
        self.files.push(OpenFile { of: name.to_owned(), peer: peer.map(str::to_owned), registered: None });
        self.files.len() - 1
    }

    fn opened(&mut self, name: &str, peer: Option<&str>) {
        let file = Some(self.open(name, peer));
        self.numbers.push(Number { names: vec![name.to_owned()], file, passed: false });
    }

    fn lives(&self, file: usize) -> bool {
        self.numbers.iter().any(|number| number.file == Some(file))
    }

    fn close(&mut self, name: &str) {
        let Some(place) = self.place(name) else { return };
        let Some(file) = self.numbers[place].file.take() else { return };
        // A registration goes with the last descriptor of its open file.
        if !self.lives(file) {
            self.files[file].registered = None;
        }
    }

    fn step(&mut self, step: &StepShown) {
        match step.action.as_ref() {
            Some(Action::Make { names, .. }) => {
                for name in names {
                    let peer = names.iter().find(|other| *other != name);
                    self.opened(name, peer.map(String::as_str));
                }
            }
            Some(Action::Accept { name, .. }) => self.opened(name, None),
            Some(Action::Connect { client, .. } | Action::Connecting { client, .. }) => self.opened(client, None),
            Some(Action::Dup { of, name }) => {
                let file = self.place(of).and_then(|place| self.numbers[place].file);
                self.numbers.push(Number { names: vec![name.clone()], file, passed: false });
            }
            Some(Action::Reuse { of, name, peer }) => {
                let file = self.open(name, Some(peer));
                if let Some(place) = self.place(of) {
                    self.numbers[place].names.push(name.clone());
                    self.numbers[place].file = Some(file);
                }
            }
            Some(Action::Close { name } | Action::Reset { name }) => self.close(name),
            Some(Action::Watch { name, .. }) => self.registered(name, true, true),
            Some(Action::Unwatch { name }) => {
                let done = |mechanism: Mechanism| {
                    let cell = Mechanism::ALL.into_iter().zip(&step.cells).find(|(it, _)| *it == mechanism);
                    cell.is_some_and(|(_, cell)| cell.answer.as_deref() == Some("ok"))
                };
                if done(Mechanism::Poll) {
                    self.registered(name, false, false);
                }
            }
            _ => {}
        }
    }

    /// epoll finds a registration by the number and the file that is behind it now.
    fn registered(&mut self, name: &str, passed: bool, registered: bool) {
        let Some(place) = self.place(name) else { return };
        self.numbers[place].passed = passed;
        if let Some(file) = self.numbers[place].file {
            self.files[file].registered = registered.then_some(place);
        }
    }

    /// The rows that are drawn: of what is or was registered, and of what shares a file or a number with it.
    fn of_interest(&self, watched: &[String]) -> Vec<usize> {
        let own = |number: &Number| number.names.iter().any(|name| watched.contains(name));
        let files: Vec<usize> = (0..self.files.len()).filter(|file| self.files[*file].registered.is_some()).collect();
        let shares = |number: &Number| number.file.is_some_and(|file| files.contains(&file));
        (0..self.numbers.len()).filter(|row| own(&self.numbers[*row]) || shares(&self.numbers[*row])).collect()
    }
}

pub(super) fn pictures(data: &Data) -> String {
    let tells = |lesson: &&LessonShown| {
        lesson.steps.iter().any(|step| matches!(step.action, Some(Action::Dup { .. } | Action::Reuse { .. })))
            && lesson.steps.iter().any(|step| matches!(step.action, Some(Action::Close { .. })))
            && !lesson.watched.is_empty()
    };
    data.lessons.iter().filter(tells).map(of).collect()
}

fn of(lesson: &LessonShown) -> String {
    let mut world = World::default();
    let mut picture = Picture::default();
    for (x, head) in [(NUMBER, "number"), (FILE, "open file"), (PEER, "other end"), (SAID, "the next wait")] {
        picture.text("head", (x, 14.0), head);
    }
    let mut y = 30.0;
    for (at, step) in lesson.steps.iter().enumerate() {
        world.step(step);
        let watches = |step: &StepShown| matches!(step.action, Some(Action::Watch { .. }));
        let last_watch = watches(step) && !lesson.steps.get(at + 1).is_some_and(watches);
        let changes = matches!(
            step.action,
            Some(
                Action::Dup { .. }
                    | Action::Reuse { .. }
                    | Action::Close { .. }
                    | Action::Reset { .. }
                    | Action::Unwatch { .. }
            )
        );
        if last_watch || changes {
            y = panel(&mut picture, &world, lesson, at, y);
        }
    }
    let caption = format!(
        "Left the numbers that the program holds, in the middle the open files behind them. A dashed frame around a \
         number: select \
         and poll are passed it. A dashed line: epoll's registration, which is of the number and the file. From the \
         lesson <a \
         href=\"#{}\">{}</a>.",
        lesson.name,
        escape(&lesson.title)
    );
    let description = format!("Numbers, open files and registrations in the lesson {}", lesson.title);
    picture.figure(
        &format!("picture-{}", lesson.name),
        &format!("Whose registration it is: {}", lesson.title),
        &caption,
        &description,
    )
}

/// The state after one step, and what was said next.
fn panel(picture: &mut Picture, world: &World, lesson: &LessonShown, at: usize, top: f64) -> f64 {
    picture.line("line", (0.0, top), (SAID + 230.0, top));
    picture.text("mono", (0.0, top + 18.0), &format!("{}. {}", at + 1, lesson.steps[at].command));
    let rows = world.of_interest(&lesson.watched);
    let first = top + 30.0;
    let middle = |row: usize| first + row as f64 * ROW + 12.0;
    let mut files: Vec<usize> = Vec::new();
    for number in rows.iter().map(|row| &world.numbers[*row]) {
        files.extend(number.file.filter(|file| !files.contains(file)));
    }
    for (row, number) in rows.iter().map(|row| &world.numbers[*row]).enumerate() {
        let y = middle(row) - 12.0;
        picture.rect(if number.file.is_some() { "box" } else { "box gone" }, (NUMBER + 4.0, y), (WIDE, 24.0));
        if number.passed {
            picture.rect("kept", (NUMBER, y - 4.0), (WIDE + 8.0, 32.0));
        }
        let closed = if number.file.is_none() { " closed" } else { "" };
        picture.text("", (NUMBER + 12.0, y + 16.0), &format!("{}{closed}", number.names.join(", ")));
        if let Some(place) = number.file.and_then(|file| files.iter().position(|one| *one == file)) {
            picture.arrow("arrow", (NUMBER + WIDE + 10.0, middle(row)), (FILE - 2.0, middle(place)));
        }
    }
    for (row, file) in files.iter().map(|file| &world.files[*file]).enumerate() {
        picture.rect("box", (FILE, middle(row) - 12.0), (WIDE, 24.0));
        picture.text("", (FILE + 8.0, middle(row) + 4.0), &format!("socket of {}", file.of));
        if let Some(from) = file.registered.and_then(|number| rows.iter().position(|one| *one == number)) {
            picture.line("kept", (NUMBER + WIDE + 12.0, middle(from) + 9.0), (FILE - 4.0, middle(row) + 9.0));
            picture.rect("kept", (FILE - 4.0, middle(row) - 16.0), (WIDE + 8.0, 32.0));
        }
        if let Some(peer) = &file.peer {
            picture.arrow("arrow", (FILE + WIDE + 4.0, middle(row)), (PEER - 2.0, middle(row)));
            picture.text("", (PEER + 4.0, middle(row) + 4.0), peer);
        }
    }
    let said = said(picture, lesson, at, top);
    (first + rows.len().max(files.len()) as f64 * ROW + 8.0).max(said)
}

/// The wait that follows before anything else changes hands.
fn said(picture: &mut Picture, lesson: &LessonShown, at: usize, top: f64) -> f64 {
    let later = &lesson.steps[at + 1..];
    let changes = |step: &&StepShown| {
        !matches!(step.action, Some(Action::Dup { .. } | Action::Reuse { .. } | Action::Close { .. }))
    };
    let Some(wait) = later.iter().take_while(changes).find(|step| step.kind == "wait") else { return top };
    picture.text("soft", (SAID, top + 18.0), &wait.label);
    let mut y = top + 36.0;
    for same in Mechanism::ALL
        .into_iter()
        .zip(&wait.cells)
        .collect::<Vec<_>>()
        .chunk_by(|one, other| one.1.found() == other.1.found())
    {
        let mut x = SAID + 7.0;
        for (mechanism, cell) in same {
            picture.mark(*mechanism, cell.found() != "-", (x, y));
            x += 17.0;
        }
        let found = same[0].1.found();
        picture.text("mono", (x, y + 4.0), if found == "-" { "silent" } else { found });
        picture.text(
            "soft",
            (x + width(found).max(40.0) + 6.0, y + 4.0),
            &names(same.iter().map(|(mechanism, _)| *mechanism)),
        );
        y += 19.0;
    }
    y
}

fn names(mechanisms: impl Iterator<Item = Mechanism>) -> String {
    mechanisms.map(Mechanism::name).collect::<Vec<&str>>().join(", ")
}
