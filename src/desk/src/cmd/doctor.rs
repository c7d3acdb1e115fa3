//! `menshen doctor`: the proof of a gate before the shift, on a terminal and on paper.
//!
//! Where no gate runs on the state folder it starts the very gate of the board and the site for some seconds, without a
//! panel, and lets it prove itself; whoever comes meanwhile is served and recorded as ever. Where one runs, it asks that
//! one by its panel. So what is printed here is what the gate's own page shows. Invariant: it makes no state folder, since
//! in one that nobody has used no lock would tell of the gate that runs and holds the same pins.

use super::doctor_html;
use super::{complain, say, say_json};
use crate::outcome::{Failure, Outcome, Result, write_output};
use clap::Args;
use menshen_core::time::Confidence;
use menshen_gate::board::{Board, Wiring};
use menshen_gate::outputs::GuardAs;
use menshen_gate::pin;
use menshen_gate::program::{Gate, StartError};
use menshen_gate::site::Site;
use menshen_lane::journal::{self, JournalError};
use menshen_lane::moment;
use menshen_lane::ports::Clock;
use menshen_lane::proof::{Check, Item, Progress, Proof, Proofs, State, said};
use menshen_lane::threads::Stop;
use menshen_lane::words::{Lang, Table, Words};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// This very program, which has the hidden command of a relay's guard.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// How often is looked whether the card is there.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A proof takes some seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a gate that has just started may take to learn the time from its hub.
const CLOCK_PATIENCE: Duration = Duration::from_secs(10);
/// How long somebody may look at an output before they say what they saw.
const QUESTION_PATIENCE: Duration = Duration::from_secs(120);
/// How long a panel may take to answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// The words of the command.
#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// The gate's board file, where no gate runs on this device.
    #[arg(long, value_name = "FILE", requires = "site", required_unless_present = "panel")]
    board: Option<PathBuf>,
    /// The gate's site file.
    #[arg(long, value_name = "FILE", requires = "board")]
    site: Option<PathBuf>,
    /// The gate's state folder, which must be there: what keeps two gates from the same relay is in it.
    #[arg(long, value_name = "DIR", default_value = "state")]
    state: PathBuf,
    /// The panel of a gate that runs, such as http://127.0.0.1:8460; its PIN is asked for here.
    #[arg(long, value_name = "URL", conflicts_with_all = ["board", "site"])]
    panel: Option<String>,
    /// Try every lamp, every tone, the loudspeaker and the relay, and ask here what was seen. The way opens once, and that is recorded.
    #[arg(long)]
    outputs: bool,
    /// One language instead of all: zh or en.
    #[arg(long, value_name = "LANG", value_parser = parse_lang)]
    lang: Option<Lang>,
    /// One JSON object a check, then one of the card.
    #[arg(long)]
    json: bool,
    /// Write the card as a page to print.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

fn parse_lang(name: &str) -> std::result::Result<Lang, String> {
    Lang::parse(name)
        .ok_or_else(|| format!("{name:?} is no language of this program: write one of {}", names().join(", ")))
}

fn names() -> Vec<&'static str> {
    Lang::ALL.into_iter().map(Lang::name).collect()
}

impl Doctor {
    pub(super) fn run(self) -> Result {
        // One for all lanes: what is typed for one is never read for another.
        let answers = self.outputs.then(|| Answers::of(std::iter::from_fn(next_line)));
        let cards = match (&self.panel, &self.board, &self.site) {
            (Some(panel), ..) => vec![self.prove(&Remote::new(panel), answers.as_ref())?],
            (None, Some(board), Some(site)) => self.prove_here(board, site, answers.as_ref())?,
            _ => {
                return Err(Failure::new(
                    "name the gate by --board and --site, or the panel of one that runs by --panel",
                ));
            }
        };
        cards.iter().try_for_each(|card| self.tell(card))?;
        if let Some(html) = &self.html {
            write_output(html, doctor_html::page(&cards, &self.langs()).as_bytes())?;
        }
        Ok(if cards.iter().all(|card| card.ready) { Outcome::Done } else { Outcome::No })
    }

    fn langs(&self) -> Vec<Lang> {
        self.lang.map_or_else(|| Lang::USUAL.into_iter().collect(), |lang| vec![lang])
    }

    /// Starts the gate for as long as it takes, and proves each of its lanes.
    fn prove_here(&self, board: &Path, site: &Path, answers: Option<&Answers>) -> Result<Vec<Proof>> {
        let (mut board, site) = (Board::load(board)?, Site::load(site)?);
        must_be_used(&self.state)?;
        let moves = board.all_lanes().any(|lane| matches!(lane.outputs.wiring, Wiring::Header(_)));
        if moves && !journal::is_kept_in(&self.state) {
            return Err(Failure::new(format!(
                "no gate has ever kept its records in {}, and this board has pins that a gate may hold: correct --state, or start \
                 the gate once",
                self.state.display()
            )));
        }
        // Its panel would take the place of the real one for a moment.
        board.panel_listen = Vec::new();
        board.further_lanes.iter_mut().for_each(|lane| lane.panel_listen.clear());
        let guard = GuardAs::Process(THIS_PROGRAM.into());
        let gate = Gate::guarded(&board, &site, &self.state, &guard).map_err(|error| match error {
            StartError::Journal(JournalError::InUse { .. }) => Failure::new(
                "a gate is running on this state folder: name its panel instead, --panel http://127.0.0.1:8460, or stop it first",
            ),
            error => error.into(),
        })?;
        let (proofs, clock, stop) = (gate.proofs().to_vec(), gate.clock(), Stop::new());
        let running = Running { stop: stop.clone(), thread: Some(thread::spawn(move || gate.run(&stop))) };
        wait_for_time(clock.as_ref());
        let cards = proofs.into_iter().map(|proofs| self.prove(&Own(proofs), answers)).collect();
        drop(running);
        cards
    }

    fn prove(&self, gate: &dyn Proved, answers: Option<&Answers>) -> Result<Proof> {
        // A number alone may come again: of a gate that was started again and kept no card.
        let which = |card: &Proof| (card.number, card.at.clone());
        let before = gate.progress()?.proof.as_ref().map(which);
        gate.start()?;
        let begun = Instant::now();
        let card = loop {
            let Progress { running, proof, not_kept, .. } = gate.progress()?;
            if !running {
                let card = proof.filter(|card| Some(which(card)) != before).ok_or_else(|| {
                    Failure::new("the gate ended its proof without a card: try again, and report the gate's log")
                })?;
                not_kept.iter().for_each(|why| complain(why));
                break card;
            }
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new("the gate did not finish its proof within two minutes: start the gate again"));
            }
            thread::sleep(LOOK_EVERY);
        };
        let Some(answers) = answers else { return Ok(card) };
        self.ask(gate, answers)?;
        // Every answer writes the card anew.
        let Progress { proof, not_kept, .. } = gate.progress()?;
        not_kept.iter().for_each(|why| complain(why));
        Ok(proof.unwrap_or(card))
    }

    /// Tries one output after another and asks who watches.
    fn ask(&self, gate: &dyn Proved, answers: &Answers) -> Result<()> {
        for which in gate.progress()?.outputs {
            // Nobody watches what would move.
            if answers.are_over() {
                return Ok(());
            }
            if let Err(failure) = gate.try_output(which) {
                complain(&failure.to_string());
                continue;
            }
            let name =
                self.in_words(|words| words.proof_check(which.name(), "name").unwrap_or(which.name()).to_owned());
            // Where stderr is closed there is nobody to ask.
            let _ = write!(std::io::stderr(), "{name} [y/n] ");
            let Some(answer) = answers.within(QUESTION_PATIENCE)? else { return Ok(()) };
            if let Some(works) = yes_or_no(&answer) {
                gate.answer(which, works)?;
            }
        }
        Ok(())
    }

    fn tell(&self, card: &Proof) -> Result<()> {
        if self.json {
            card.checks.iter().try_for_each(say_json)?;
            return say_json(&summary(card)?);
        }
        let say_of = |key: &str| self.in_words(|words| words.proof.get(key).to_owned());
        let site = self.langs().into_iter().map(|lang| if lang.is_chinese() { &card.site_zh } else { &card.site_en });
        let site = site.map(String::as_str).collect::<Vec<_>>().join(" / ");
        let at = moment::parse(&card.at).map_or_else(|_| card.at.clone(), moment::show);
        say(format!("{}: {site} · {} {} · {at}", say_of("title"), say_of("lane"), card.lane))?;
        for check in &card.checks {
            let line = self.in_words(|words| said(words, check).line(words));
            say(format!("{} {line}", check.state.sign()))?;
            self.tell_more(check)?;
        }
        say(if card.ready {
            format!("{} {}", State::Ok.sign(), say_of("ready"))
        } else {
            format!("{} {}", State::Failed.sign(), say_of("not_ready"))
        })?;
        let failed = card.checks.iter().filter(|check| check.state == State::Failed);
        failed
            .map(|check| self.in_words(|words| said(words, check).line(words)))
            .try_for_each(|line| say(format!("  {line}")))
    }

    fn tell_more(&self, check: &Check) -> Result<()> {
        if self.langs().iter().any(|lang| said(Words::of(*lang), check).remedy.is_some()) {
            say(format!("    → {}", self.in_words(|words| said(words, check).remedy.unwrap_or_default())))?;
        }
        check.message.as_ref().map_or(Ok(()), |message| say(format!("    ({message})")))
    }

    fn in_words(&self, text: impl Fn(&Words) -> String) -> String {
        self.langs().into_iter().map(|lang| text(Words::of(lang))).collect::<Vec<_>>().join(" / ")
    }
}

/// Refuses a state folder by which a gate that runs could not be told, or that this user would spoil for it.
fn must_be_used(state: &Path) -> Result<()> {
    let path = state.display();
    let found = fs::metadata(state).map_err(|error| {
        Failure::new(format!(
            "the state folder {path} can not be looked at ({error}): name by --state the folder that the gate of this device \
             uses, or make it for a gate that has never run"
        ))
    })?;
    if !found.is_dir() {
        return Err(Failure::new(format!("{path} is no folder: name by --state the folder that the gate uses")));
    }
    // The superuser would leave cards and folders behind that the gate could not write.
    if rustix::process::geteuid().as_raw() != found.uid() {
        return Err(Failure::new(format!(
            "the state folder {path} is another user's (number {0}): run this as the user of the gate, as with \
             `sudo -u '#{0}' menshen doctor …`, or correct --state",
            found.uid()
        )));
    }
    Ok(())
}

fn next_line() -> Option<std::io::Result<String>> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.map(|count| (count > 0).then_some(line)).transpose()
}

/// What is typed, which nobody waits for longer than they want to: the gate would run on, and lock out the real one.
struct Answers {
    typed: Receiver<std::io::Result<String>>,
    /// There are no more, or nobody is there who gives any.
    over: Cell<bool>,
}

impl Answers {
    /// Begins to read; the thread that does ends with the program where nothing comes any more.
    fn of(lines: impl Iterator<Item = std::io::Result<String>> + Send + 'static) -> Answers {
        // Nothing is read ahead.
        let (sender, typed) = sync_channel(0);
        thread::spawn(move || {
            lines.map(|line| sender.send(line)).take_while(std::result::Result::is_ok).for_each(drop)
        });
        Answers { typed, over: Cell::new(false) }
    }

    fn are_over(&self) -> bool {
        self.over.get()
    }

    /// The next one; `None` where there are no more.
    fn within(&self, patience: Duration) -> Result<Option<String>> {
        let answer = self.typed.recv_timeout(patience);
        self.over.set(answer.is_err());
        match answer {
            Ok(line) => Ok(Some(line?)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                complain("nobody has answered for two minutes: the rest is left out; run it again with --outputs");
                Ok(None)
            }
        }
    }
}

/// The card without its checks, which have lines of their own.
fn summary(card: &Proof) -> Result<Value> {
    let mut value = serde_json::to_value(card)?;
    if let Value::Object(fields) = &mut value {
        fields.remove("checks");
    }
    Ok(value)
}

fn yes_or_no(answer: &str) -> Option<bool> {
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" | "是" | "对" | "好" => Some(true),
        "n" | "no" | "不" | "没" | "没有" => Some(false),
        _ => None,
    }
}

fn wait_for_time(clock: &dyn Clock) {
    let begun = Instant::now();
    while clock.time().confidence == Confidence::Floor && begun.elapsed() < CLOCK_PATIENCE {
        thread::sleep(LOOK_EVERY);
    }
}

/// A gate that runs for a proof; dropping it stops it in good order.
struct Running {
    stop: Stop,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.set();
        // A gate that panicked has stopped as well.
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

/// A gate that proves itself, in this program or behind its panel.
trait Proved {
    fn start(&self) -> Result<()>;
    fn progress(&self) -> Result<Progress>;
    fn try_output(&self, which: Item) -> Result<()>;
    fn answer(&self, which: Item, works: bool) -> Result<()>;
}

struct Own(Proofs);

impl Proved for Own {
    fn start(&self) -> Result<()> {
        Ok(self.0.start()?)
    }

    fn progress(&self) -> Result<Progress> {
        Ok(self.0.progress())
    }

    fn try_output(&self, which: Item) -> Result<()> {
        Ok(self.0.try_output(which)?)
    }

    fn answer(&self, which: Item, works: bool) -> Result<()> {
        Ok(self.0.answer(which, works)?)
    }
}

/// A gate that runs, by its panel. Where that has a PIN, it is asked for here, once.
struct Remote {
    url: String,
    agent: ureq::Agent,
    pass: RefCell<Pass>,
}

/// What the panel knows this program by.
#[derive(Default)]
struct Pass {
    cookie: Option<String>,
    act: Option<String>,
}

impl Remote {
    fn new(url: &str) -> Remote {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_PATIENCE));
        Remote { url: url.trim_end_matches('/').to_owned(), agent: config.build().into(), pass: RefCell::default() }
    }

    /// What an act must name, which the panel says; the PIN is typed where it wants one.
    fn act(&self) -> Result<String> {
        if let Some(act) = self.pass.borrow().act.clone() {
            return Ok(act);
        }
        let standing = self.standing()?;
        let act = match (standing["act"].as_str(), standing["has_pin"].as_bool()) {
            (Some(act), _) => act.to_owned(),
            (None, Some(true)) => {
                self.unlock()?;
                let act = self.standing()?["act"].as_str().map(str::to_owned);
                act.ok_or_else(|| Failure::new(format!("{} was unlocked and is not: try again", self.url)))?
            }
            (None, _) => String::new(),
        };
        self.pass.borrow_mut().act = Some(act.clone());
        Ok(act)
    }

    fn standing(&self) -> Result<Value> {
        let got = self.with_cookie(self.agent.get(format!("{}/session", self.url))).call();
        let mut answer = got.map_err(|error| self.unreachable(&error))?;
        let text = answer.body_mut().read_to_string().map_err(|error| self.unreachable(&error))?;
        // One that is no gate is told by what is asked of it next.
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn unlock(&self) -> Result<()> {
        let pin = pin::typed("PIN of the panel: ").map_err(|error| Failure::new(format!("no PIN came ({error})")))?;
        let sent = self.agent.post(format!("{}/session", self.url)).send_json(json!({ "pin": pin.trim() }));
        let answer = sent.map_err(|error| self.unreachable(&error))?;
        match answer.status().as_u16() {
            204 => {
                let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok());
                self.pass.borrow_mut().cookie = cookie.and_then(|text| text.split(';').next()).map(str::to_owned);
                Ok(())
            }
            429 => Err(Failure::new("too many wrong PINs were typed there: wait a quarter of an hour".to_owned())),
            _ => Err(Failure::new("that is not the PIN of the panel: type it again".to_owned())),
        }
    }

    fn with_cookie<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.pass.borrow().cookie {
            Some(cookie) => request.header("Cookie", cookie),
            None => request,
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let url = &self.url;
        Failure::new(format!("the panel {url} does not answer ({error}): start the gate, or correct --panel"))
    }

    fn post(&self, path: &str, body: &Value) -> Result<()> {
        let act = self.act()?;
        let request = self.with_cookie(self.agent.post(format!("{}{path}", self.url))).header("X-Menshen-Act", act);
        let mut answer = request.send_json(body).map_err(|error| self.unreachable(&error))?;
        if answer.status().is_success() {
            return Ok(());
        }
        let why = answer.body_mut().read_to_string().unwrap_or_default();
        Err(Failure::new(format!("the gate says: {}", why.trim())))
    }
}

impl Proved for Remote {
    fn start(&self) -> Result<()> {
        self.post("/proof/start", &json!({}))
    }

    fn progress(&self) -> Result<Progress> {
        let got = self.with_cookie(self.agent.get(format!("{}/proof.json", self.url))).call();
        let mut answer = got.map_err(|error| self.unreachable(&error))?;
        let text = answer.body_mut().read_to_string().map_err(|error| self.unreachable(&error))?;
        serde_json::from_str(&text).map_err(|error| {
            let url = &self.url;
            Failure::new(format!("{url} does not answer as a gate of this version does ({error}): update this program, or correct --panel"))
        })
    }

    fn try_output(&self, which: Item) -> Result<()> {
        self.post("/proof/output", &json!({ "which": which.name() }))
    }

    fn answer(&self, which: Item, works: bool) -> Result<()> {
        self.post("/proof/answer", &json!({ "which": which.name(), "yes": works }))
    }
}

/// The words of the card in one language.
pub(super) fn words_of(lang: Lang) -> &'static Table {
    &Words::of(lang).proof
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_was_asked_for() {
        let read = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = read.clone();
        let endless = std::iter::from_fn(move || {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Some(Ok("y".to_owned()))
        });
        let answers = Answers::of(endless);
        assert_eq!(answers.within(Duration::from_secs(60)).expect("it was typed").as_deref(), Some("y"));
        thread::sleep(Duration::from_millis(50));
        assert!(read.load(std::sync::atomic::Ordering::Relaxed) <= 2, "one is at hand, however many come");
    }

    #[test]
    fn an_answer_that_does_not_come_is_not_waited_for() {
        let (typed, lines) = sync_channel::<std::io::Result<String>>(1);
        let answers = Answers::of(lines.into_iter());
        typed.send(Ok("y".to_owned())).expect("it reads");
        assert_eq!(answers.within(Duration::from_secs(60)).expect("it was typed").as_deref(), Some("y"));
        assert!(!answers.are_over(), "somebody is there");
        assert_eq!(answers.within(Duration::from_millis(20)).expect("nothing failed"), None, "nobody is there");
        assert!(answers.are_over(), "nothing moves any more, on no lane");
        drop(typed);
        assert_eq!(answers.within(Duration::from_secs(60)).expect("nothing failed"), None, "nothing more will come");
    }

    #[test]
    fn an_answer_is_yes_or_no_in_either_language_and_anything_else_is_none() {
        assert_eq!(["y", " YES ", "是", "对"].map(yes_or_no), [Some(true); 4]);
        assert_eq!(["n", "No", "没有"].map(yes_or_no), [Some(false); 3]);
        assert_eq!(["", "maybe"].map(yes_or_no), [None; 2]);
    }
}
