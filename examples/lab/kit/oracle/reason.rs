//! Why a wait reports what it reports, in a sentence for each descriptor.

use super::file::FileRef;
use super::model::Cause;
use super::wait::asked_about;
use super::watches::{Found, Watch};
use super::world::World;
use crate::kit::{Bits, Cell, Mechanism, Rule, Why};

/// In the order in which they are best said.
const CLAUSES: [Bits; 7] = [Bits::NVAL, Bits::PRI, Bits::IN, Bits::ERR, Bits::HUP, Bits::RDHUP, Bits::OUT];

/// What there is to say of each registration. `full`: the wait had no room for more; `actual`: what is true of a file.
pub(super) fn why(
    world: &World,
    found: &[Found],
    full: bool,
    cell: &Cell,
    actual: impl Fn(FileRef) -> Bits,
) -> Vec<Why> {
    let mut all = Vec::new();
    for watch in &world.watches.list {
        let file = asked_about(world, watch);
        let scene = Scene {
            world,
            watch,
            file,
            actual: file.map_or(Bits::NONE, &actual),
            found: found.iter().find(|found| found.id == watch.id),
            full,
        };
        let (rule, text) = match cell {
            Cell::Failed(_) => scene.failed(),
            Cell::Reported(_) => scene.say(),
        };
        all.push(Why { name: watch.name.clone(), rule, text });
    }
    let other = |name: &String, rule, text| Why { name: name.clone(), rule, text };
    all.extend(world.refused.iter().map(|(name, error)| {
        let what = if *error == "EBADF" { "was opened for its path only" } else { "has no wait queue" };
        let text = format!("{name} {what}, so there is nothing to wait for: epoll has refused it with {error}.");
        other(name, Rule::FilesRefused, text)
    }));
    let unwatched = |name: &&String| !world.watches.list.iter().any(|watch| watch.name == **name);
    all.extend(world.forgotten.iter().filter(unwatched).map(|name| {
        let text = format!("{name} was closed, and its registration went with the last descriptor of the open file.");
        other(name, Rule::NumberAndFile, text)
    }));
    all
}

/// One registration in one wait.
struct Scene<'a> {
    world: &'a World,
    watch: &'a Watch,
    file: Option<FileRef>,
    actual: Bits,
    found: Option<&'a Found>,
    full: bool,
}

impl Scene<'_> {
    fn mechanism(&self) -> Mechanism {
        self.world.watches.mechanism
    }

    /// "5 bytes are unread and the peer will send no more": what makes these bits true.
    fn clauses(&self, bits: Bits) -> String {
        let Some(file) = self.file else { return "the number is closed".to_owned() };
        let model = self.world.object(file).model();
        let mut clauses: Vec<String> = Vec::new();
        // That there is room is worth saying where nothing else is.
        let rest = bits - Bits::OUT;
        let bits = if rest.is_none() { bits } else { rest };
        for bit in CLAUSES.into_iter().filter(|bit| bits.contains(*bit)) {
            let clause = model.reason(file.side, bit);
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        sentence(&clauses)
    }

    /// The call failed as a whole.
    fn failed(&self) -> (Rule, String) {
        let name = &self.watch.name;
        if self.file.is_none() {
            let text = format!(
                "{name} is closed and still in a set: select fails with EBADF, and says nothing of the others."
            );
            return (Rule::NumberAndFile, text);
        }
        (Rule::NumberAndFile, format!("Whether {name} is ready is not said: another number in the sets is closed."))
    }

    fn say(&self) -> (Rule, String) {
        let mask = self.world.watches.mask(self.watch.interest);
        match self.found {
            Some(found) => self.reported(found),
            None if self.full && self.watch.due.is_some() => {
                let name = &self.watch.name;
                (
                    Rule::TheRestNextTime,
                    format!("The wait was full before {name} had its turn; it stays on the list for the next one."),
                )
            }
            None if self.actual.intersects(mask) => self.silent(mask),
            None => self.nothing(mask),
        }
    }

    fn reported(&self, found: &Found) -> (Rule, String) {
        let name = &self.watch.name;
        if let Some(identity) = self.identity() {
            return (Rule::NumberAndFile, identity);
        }
        let state = self.clauses(found.bits);
        match (self.mechanism(), found.cause) {
            (Mechanism::Select, _) if self.actual.intersects(Bits::ERR) || self.folded() => {
                let text = format!(
                    "At {name}, {}; select has no set for that and shows it as {}.",
                    self.clauses(self.actual - Bits::OUT),
                    sets(found.bits)
                );
                (Rule::SelectFolds, text)
            }
            (Mechanism::Edge | Mechanism::Oneshot | Mechanism::Mio, Some(Cause::Added)) => (
                Rule::RegisteringLooks,
                format!("{} registering {name} looks at what is true already: {state}.", self.armed()),
            ),
            (Mechanism::Edge | Mechanism::Oneshot | Mechanism::Mio, Some(Cause::Modified)) => (
                Rule::RegisteringLooks,
                format!("{} registering {name} anew looks at what is true: {state}.", self.armed()),
            ),
            (Mechanism::Edge | Mechanism::Oneshot | Mechanism::Mio, Some(cause)) => self.woken(found, cause, &state),
            _ => self.level(found, &state),
        }
    }

    fn armed(&self) -> &'static str {
        if self.mechanism() == Mechanism::Oneshot { "Arming counts as asking:" } else { "This is no change, but" }
    }

    /// Whether select calls it readable for the sake of a hang-up alone.
    fn folded(&self) -> bool {
        self.actual.contains(Bits::HUP) && !self.actual.intersects(Bits::IN)
    }

    fn level(&self, found: &Found, state: &str) -> (Rule, String) {
        let name = &self.watch.name;
        let file = self.file.map(|file| (self.world.object(file).model(), file.side));
        let unasked = found.bits & (Bits::ERR | Bits::HUP);
        if file.is_some_and(|(model, side)| model.has_told_its_error(side)) {
            (Rule::ErrorOnce, format!("The error of {name} has been told and is gone; what stays is that {state}."))
        } else if !unasked.is_none() {
            (
                Rule::ErrorsUnasked,
                format!(
                    "At {name}, {state}; {} comes unasked, at every wait.",
                    unasked.display(crate::kit::Vocabulary::Poll)
                ),
            )
        } else if file.is_some_and(|(model, side)| found.bits.contains(Bits::IN) && model.unread(side) == Some(0)) {
            (Rule::FinIsReadable, format!("At {name}, {state}: the end is readable until {name} is closed."))
        } else {
            (Rule::LevelRepeats, format!("At {name}, {state}; that is said at every wait until it changes."))
        }
    }

    /// Reported since something has happened.
    fn woken(&self, found: &Found, cause: Cause, state: &str) -> (Rule, String) {
        let name = &self.watch.name;
        let file = self.file.map(|file| (self.world.object(file).model(), file.side));
        let unread = file.and_then(|(model, side)| model.unread(side)).unwrap_or(0);
        match cause {
            Cause::Arrived(count) if self.watch.told.is_some() && unread > count.max(1) => {
                let text = format!(
                    "Something new has come in at {name} on top of what was unread, and every arrival is an edge: {state}."
                );
                (Rule::ArrivalIsEdge, text)
            }
            Cause::Arrived(_) if found.bits.contains(Bits::IN | Bits::OUT) => {
                let text = format!(
                    "Something has come in at {name}: {state}. OUT is said again because an event carries everything that is true."
                );
                (Rule::FullState, text)
            }
            Cause::Arrived(_) | Cause::Urgent => (Rule::EdgeOnce, format!("Something has come in at {name}: {state}.")),
            Cause::Fin => (Rule::FinIsReadable, format!("The peer of {name} has shut its side down: {state}.")),
            Cause::PeerClosed | Cause::Reset | Cause::Refused if found.bits.intersects(Bits::ERR | Bits::HUP) => (
                Rule::ErrorsUnasked,
                format!("{name} has lost its peer, which is told without being asked for: {state}."),
            ),
            Cause::PeerClosed | Cause::Reset | Cause::Refused => {
                (Rule::FinIsReadable, format!("{name} has lost its peer: {state}."))
            }
            Cause::Room => (Rule::EdgeOnce, format!("The peer of {name} has taken something out: {state}.")),
            Cause::Sent => (
                Rule::FullState,
                format!("What {name} sent has left its buffer, and the driver tells that each time: {state}."),
            ),
            Cause::Taken => (Rule::FullState, format!("Reading {name} is an event for who waits to write: {state}.")),
            Cause::Shut | Cause::PeerShut => (
                Rule::FullState,
                format!("A shutdown wakes everybody who waits for {name}, whatever they asked for: {state}."),
            ),
            Cause::FinAcknowledged => (
                Rule::FullState,
                format!("The peer has acknowledged that {name} sends no more, which wakes everybody: {state}."),
            ),
            Cause::Added | Cause::Modified => (Rule::RegisteringLooks, format!("Registering {name} looks: {state}.")),
        }
    }

    /// What was asked for is true, and not said.
    fn silent(&self, mask: Bits) -> (Rule, String) {
        let name = &self.watch.name;
        let state = self.clauses(self.actual & mask);
        match (self.mechanism(), self.watch.told) {
            (Mechanism::Oneshot, Some(line)) if !self.watch.armed => {
                let text =
                    format!("At {name}, {state}, but it had its one report at line {line} and was not armed again.");
                (Rule::DisarmedIsDeaf, text)
            }
            (_, Some(line)) => {
                let text =
                    format!("At {name}, {state}, but that was told at line {line} and nothing has happened since.");
                (Rule::EdgeOnce, text)
            }
            (_, None) => {
                (Rule::EdgeOnce, format!("At {name}, {state}, but nothing has happened since it was registered."))
            }
        }
    }

    /// Nothing of what was asked for is true.
    fn nothing(&self, mask: Bits) -> (Rule, String) {
        let name = &self.watch.name;
        let asked = self.watch.interest & mask;
        if asked.contains(Bits::OUT) && !self.actual.contains(Bits::OUT) && self.file.is_some() {
            return (Rule::RoomNeedsMore, format!("{name} has too little room to be called writable."));
        }
        if self.actual.is_none() {
            return (
                Rule::NothingTrue,
                format!("Nothing is true of {name}: no data, no room that was waited for, no end, no error."),
            );
        }
        let state = self.clauses(self.actual);
        (Rule::NothingTrue, format!("At {name}, {state}, but that was not asked for."))
    }

    /// What is to be said of a number and an open file that have parted.
    fn identity(&self) -> Option<String> {
        let name = &self.watch.name;
        let now = self.world.file(self.watch.number);
        if !self.world.watches.kept() {
            return match now {
                None => Some(format!(
                    "{name} is closed: poll says so with NVAL, at every wait, until the entry is removed."
                )),
                now if now != self.watch.file => Some(format!(
                    "The number of {name} stands for something else by now, and the call goes by the number."
                )),
                _ => None,
            };
        }
        (now != self.watch.file).then(|| {
            format!("{name} is closed, but the open file lives on in a duplicate, and so does the registration of both together.")
        })
    }
}

/// "this", "this and that", "this, that and the other".
fn sentence(clauses: &[String]) -> String {
    match clauses {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// "readable and writable".
fn sets(bits: Bits) -> String {
    let words = [(Bits::IN, "readable"), (Bits::OUT, "writable"), (Bits::PRI, "exceptional")];
    let words: Vec<&str> = words.into_iter().filter(|(bit, _)| bits.contains(*bit)).map(|(_, word)| word).collect();
    words.join(" and ")
}
