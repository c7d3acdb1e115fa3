//! What a proof can find: each thing it looks at, what it may say of it, and what that means for the shift.
//!
//! One table, so that the state follows from what was found and nobody chooses it twice, and so that the texts can be
//! checked against it. The names are in kept cards, on the panel and in `--json`: add, never rename.

use serde::{Deserialize, Serialize};

/// What a finding means for the shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works today; somebody should see to it.
    WantsAttention,
    /// The shift can not begin so.
    Failed,
    /// There is nothing to look at here.
    NotThere,
    /// A person must look and say.
    Asked,
}

impl State {
    /// Every state.
    pub const ALL: [State; 5] = [State::Ok, State::WantsAttention, State::Failed, State::NotThere, State::Asked];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::WantsAttention => "wants_attention",
            State::Failed => "failed",
            State::NotThere => "not_there",
            State::Asked => "asked",
        }
    }

    /// A sign beside the words, for those who do not tell colours apart.
    pub const fn sign(self) -> char {
        match self {
            State::Ok => '✓',
            State::WantsAttention => '!',
            State::Failed => '✗',
            State::NotThere => '–',
            State::Asked => '?',
        }
    }
}

macro_rules! findings {
    ($($(#[doc = $doc:literal])* $item:ident $name:literal { $($finding:ident $code:literal $state:ident;)* })*) => {
        /// What is looked at, in the order of the card.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Item {
            $($(#[doc = $doc])* #[serde(rename = $name)] $item,)*
        }

        impl Item {
            /// Every item, in the order of the card.
            pub const ALL: &'static [Item] = &[$(Item::$item,)*];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Item::$item => $name,)* }
            }

            /// Reads what [`Item::name`] gives.
            pub fn parse(name: &str) -> Option<Item> {
                Item::ALL.iter().copied().find(|item| item.name() == name)
            }
        }

        /// What can be found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is said by the text of its item and code")]
        pub enum Finding {
            $($($finding,)*)*
        }

        impl Finding {
            /// Everything that can be found.
            pub const ALL: &'static [Finding] = &[$($(Finding::$finding,)*)*];

            /// What it is about.
            pub const fn item(self) -> Item {
                match self { $($(Finding::$finding => Item::$item,)*)* }
            }

            /// Which sentence says it.
            pub const fn code(self) -> &'static str {
                match self { $($(Finding::$finding => $code,)*)* }
            }

            /// What it means for the shift.
            pub const fn state(self) -> State {
                match self { $($(Finding::$finding => State::$state,)*)* }
            }
        }
    };
}

findings! {
    /// The proof itself.
    Proof "proof" { ProofBroken "broken" Failed; }
    /// A good pass is let in.
    CodeGood "code_good" { GoodOk "ok" Ok; GoodWrong "wrong" Failed; GoodUntried "untried" NotThere; }
    /// A yellow one is referred.
    CodeYellow "code_yellow" { YellowOk "ok" Ok; YellowWrong "wrong" Failed; YellowUntried "untried" NotThere; }
    /// A good one with a high temperature is refused.
    CodeWarm "code_warm" { WarmOk "ok" Ok; WarmWrong "wrong" Failed; WarmUntried "untried" NotThere; }
    /// An expired one is refused.
    CodeExpired "code_expired" { ExpiredOk "ok" Ok; ExpiredWrong "wrong" Failed; ExpiredUntried "untried" NotThere; }
    /// A changed one is refused.
    CodeForged "code_forged" { ForgedOk "ok" Ok; ForgedWrong "wrong" Failed; ForgedUntried "untried" NotThere; }
    /// A revoked one is refused.
    CodeRevoked "code_revoked" { RevokedOk "ok" Ok; RevokedWrong "wrong" Failed; RevokedUntried "untried" NotThere; }
    /// One whose issuer nobody knows is refused.
    CodeUnknown "code_unknown" { UnknownOk "ok" Ok; UnknownWrong "wrong" Failed; UnknownUntried "untried" NotThere; }
    /// Recorded first, moved then.
    Order "order" { OrderOk "ok" Ok; OrderWrong "wrong" Failed; OrderUntried "untried" NotThere; }
    /// The disk and the journal on it.
    Disk "disk" {
        DiskOk "ok" Ok;
        DiskSlow "slow" WantsAttention;
        DiskSmall "small" WantsAttention;
        DiskFull "full" Failed;
        DiskUnwritable "unwritable" Failed;
        JournalClosed "closed" Failed;
    }
    /// The loop that decides.
    Lane "lane" { LaneOk "ok" Ok; LaneSilent "silent" Failed; }
    /// The camera.
    Camera "camera" {
        CameraOk "ok" Ok;
        CameraSlow "slow" WantsAttention;
        CameraStill "still" NotThere;
        CameraFailed "failed" Failed;
    }
    /// How sharp its picture is.
    Focus "focus" {
        FocusOk "ok" Ok;
        FocusSoft "soft" WantsAttention;
        FocusBlurred "blurred" WantsAttention;
        FocusCodeBlurred "code_blurred" Failed;
        FocusNoEdges "no_edges" NotThere;
        FocusUnseen "unseen" NotThere;
    }
    /// How it is lit.
    Light "light" {
        LightOk "ok" Ok;
        LightDark "too_dark" WantsAttention;
        LightBright "too_bright" WantsAttention;
        LightUnseen "unseen" NotThere;
    }
    /// The thermometer.
    Thermometer "thermometer" {
        ThermometerOk "ok" Ok;
        ThermometerNone "none" NotThere;
        ThermometerUnused "unused" WantsAttention;
        ThermometerMissing "missing" Failed;
        ThermometerSilent "silent" Failed;
        ThermometerAmbient "ambient" Failed;
    }
    /// The clock.
    Clock "clock" { ClockOk "ok" Ok; ClockDoubt "doubt" WantsAttention; ClockUnsure "unsure" Failed; }
    /// What the gate believes.
    Trust "trust" {
        TrustOk "ok" Ok;
        TrustAgeing "ageing" WantsAttention;
        TrustUnknown "unknown" WantsAttention;
        TrustStale "stale" Failed;
        TrustMissing "missing" Failed;
    }
    /// What newer it was given.
    News "news" { NewsOk "ok" Ok; NewsRefused "refused" WantsAttention; }
    /// The issuers' lists of changes.
    Lists "lists" {
        ListsOk "ok" Ok;
        ListsNone "none" NotThere;
        ListsUnknown "unknown" NotThere;
        ListsDoubt "doubt" WantsAttention;
        ListsSome "some" WantsAttention;
        ListsOwn "own" Failed;
    }
    /// The keys of the gate's own issuer.
    Key "key" {
        KeyOk "ok" Ok;
        KeySoon "soon" WantsAttention;
        KeyUnknown "unknown" WantsAttention;
        KeyNone "none" Failed;
    }
    /// The relay and its guard.
    Relay "relay" { RelayOk "ok" Ok; RelayNone "none" NotThere; RelayFailed "failed" Failed; }
    /// Lamps and buzzer.
    Signals "signals" { SignalsOk "ok" Ok; SignalsNone "none" NotThere; SignalsFailed "failed" WantsAttention; }
    /// The screen that the gate paints itself.
    Display "display" { DisplayFailed "failed" Failed; }
    /// The loudspeaker.
    Speaker "speaker" { SpeakerFailed "failed" WantsAttention; }
    /// The access controller.
    Controller "controller" { ControllerFailed "failed" WantsAttention; ControllerAlone "alone" Failed; }
    /// Button, presence sensor, fire alarm.
    Inputs "inputs" { InputsFailed "failed" WantsAttention; }
    /// The rules of the site.
    Rules "rules" { RulesAside "aside" WantsAttention; }
    /// The other gates of the site.
    Neighbours "neighbours" { NeighboursSilent "silent" WantsAttention; }
    /// The supply voltage.
    Power "power" {
        PowerOk "ok" Ok;
        PowerWasLow "was_low" WantsAttention;
        PowerLow "low" Failed;
        PowerUnread "unread" NotThere;
    }
    /// How warm the processor is.
    Heat "heat" { HeatOk "ok" Ok; HeatHot "hot" WantsAttention; HeatUnread "unread" NotThere; }
    /// The hub.
    Hub "hub" { HubOk "ok" Ok; HubQuiet "quiet" NotThere; HubAway "away" WantsAttention; HubNone "none" NotThere; }
    /// The green lamp, as a person saw it.
    LampAdmit "lamp_admit" {
        LampAdmitUntried "untried" Asked; LampAdmitWaits "waits" Asked; LampAdmitOk "ok" Ok; LampAdmitNo "no" Failed;
    }
    /// The yellow lamp.
    LampRefer "lamp_refer" {
        LampReferUntried "untried" Asked; LampReferWaits "waits" Asked; LampReferOk "ok" Ok; LampReferNo "no" Failed;
    }
    /// The red lamp.
    LampRefuse "lamp_refuse" {
        LampRefuseUntried "untried" Asked; LampRefuseWaits "waits" Asked; LampRefuseOk "ok" Ok; LampRefuseNo "no" Failed;
    }
    /// The tone of an admission, as a person heard it.
    ToneAdmit "tone_admit" {
        ToneAdmitUntried "untried" Asked; ToneAdmitWaits "waits" Asked; ToneAdmitOk "ok" Ok; ToneAdmitNo "no" Failed;
    }
    /// The tone of a referral.
    ToneRefer "tone_refer" {
        ToneReferUntried "untried" Asked; ToneReferWaits "waits" Asked; ToneReferOk "ok" Ok; ToneReferNo "no" Failed;
    }
    /// The tone of a refusal.
    ToneRefuse "tone_refuse" {
        ToneRefuseUntried "untried" Asked; ToneRefuseWaits "waits" Asked; ToneRefuseOk "ok" Ok; ToneRefuseNo "no" Failed;
    }
    /// The loudspeaker, as a person heard it.
    Voice "voice" { VoiceUntried "untried" Asked; VoiceWaits "waits" Asked; VoiceOk "ok" Ok; VoiceNo "no" Failed; }
    /// The way, as a person saw it open.
    Way "way" { WayUntried "untried" Asked; WayWaits "waits" Asked; WayOk "ok" Ok; WayNo "no" Failed; WayBarred "barred" NotThere; }
}

impl Finding {
    /// What is found of an item by a code.
    pub fn find(item: Item, code: &str) -> Option<Finding> {
        Finding::ALL.iter().copied().find(|finding| finding.item() == item && finding.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_known_by_its_item_and_code_and_states_by_their_names() {
        for finding in Finding::ALL {
            assert_eq!(Finding::find(finding.item(), finding.code()), Some(*finding));
        }
        for item in Item::ALL {
            assert_eq!(Item::parse(item.name()), Some(*item));
            assert_eq!(serde_json::to_value(item).expect("it is a text"), item.name());
        }
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).expect("it is a text"), state.name());
        }
    }
}
