//! The words of the pages, in Chinese and English.
//!
//! A record holds numbers; the text is chosen here, at the edge, by the reader's language. Every match
//! is exhaustive, so that a new reason without words does not compile.

use menshen_core::decide::Verdict;
use menshen_core::pass::Colour;
use menshen_core::reason::Reason;

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    Zh,
    En,
}

impl Lang {
    /// The language asked for in the address, else the browser's first, else English.
    pub(crate) fn choose(asked: Option<&str>, accept_language: Option<&str>) -> Lang {
        match asked {
            Some("zh") => Lang::Zh,
            Some(_) => Lang::En,
            None if accept_language.is_some_and(|first| first.trim_start().starts_with("zh")) => Lang::Zh,
            None => Lang::En,
        }
    }

    /// The value of the attribute `lang` and of `?lang=`.
    pub(crate) fn tag(self) -> &'static str {
        self.pick("zh", "en")
    }

    /// The other language.
    pub(crate) fn other(self) -> Lang {
        match self {
            Lang::Zh => Lang::En,
            Lang::En => Lang::Zh,
        }
    }

    /// One of two texts.
    pub(crate) fn pick(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// How long ago something was.
    pub(crate) fn ago(self, seconds: u64) -> String {
        let (count, zh, en) = match seconds {
            0..60 => (seconds, "秒", "s"),
            60..3600 => (seconds / 60, "分钟", "min"),
            3600..86_400 => (seconds / 3600, "小时", "h"),
            _ => (seconds / 86_400, "天", "days"),
        };
        match self {
            Lang::Zh => format!("{count} {zh}前"),
            Lang::En => format!("{count} {en} ago"),
        }
    }

    pub(crate) fn verdict(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Admit => self.pick("放行", "Admit"),
            Verdict::Refer => self.pick("人工核验", "Refer"),
            Verdict::Refuse => self.pick("不予放行", "Refuse"),
        }
    }

    pub(crate) fn colour(self, colour: Colour) -> &'static str {
        match colour {
            Colour::Green => self.pick("绿码", "green"),
            Colour::Yellow => self.pick("黄码", "yellow"),
            Colour::Red => self.pick("红码", "red"),
        }
    }

    pub(crate) fn reason(self, reason: Reason) -> &'static str {
        match reason {
            Reason::Red => self.pick("红码", "red"),
            Reason::Revoked => self.pick("码已撤销", "revoked"),
            Reason::Overridden => self.pick("签发后已改判", "colour changed since issue"),
            Reason::BadSignature => self.pick("签名不符", "bad signature"),
            Reason::Damaged => self.pick("码内容损坏", "damaged"),
            Reason::UnknownIssuer => self.pick("签发方未知", "unknown issuer"),
            Reason::KeyExpired => self.pick("签发密钥过期", "issuer's key expired"),
            Reason::NotRecognised => self.pick("未互认", "not recognised here"),
            Reason::Expired => self.pick("码已过期", "expired"),
            Reason::NotYetValid => self.pick("码未生效", "not yet valid"),
            Reason::TempHigh => self.pick("体温偏高", "temperature high"),
            Reason::KindNotAccepted => self.pick("此处不收此类码", "kind not accepted here"),
            Reason::HouseholdQuota => self.pick("家庭外出次数用完", "household outings used up"),
            Reason::NotAPass => self.pick("不是健康码", "not a pass"),
            Reason::ShownAgain => self.pick("短时间重复出示", "shown again too soon"),
            Reason::Yellow => self.pick("黄码", "yellow"),
            Reason::UnknownLevel => self.pick("等级未知", "unknown level"),
            Reason::TestTooOld => self.pick("核酸超时或缺失", "test missing or too old"),
            Reason::TempImplausible => self.pick("测温不可信", "temperature implausible"),
            Reason::ThermometerAmbient => self.pick("环境超出测温范围", "thermometer too cold or hot"),
            Reason::NoReading => self.pick("未测到体温", "no reading"),
            Reason::ClockUntrusted => self.pick("时钟不可信", "clock untrusted"),
            Reason::TrustStale => self.pick("信任数据过旧", "trust stale"),
            Reason::TrustMissing => self.pick("无信任数据", "no trust list"),
            Reason::JournalFailing => self.pick("日志写入失败", "journal failing"),
            Reason::Unreadable => self.pick("码无法读取", "unreadable"),
            Reason::NoCode => self.pick("未见码", "no code"),
            Reason::ManualOverride => self.pick("志愿者人工决定", "decided by a volunteer"),
            Reason::StatusStale => self.pick("状态名单过旧", "status list stale"),
            Reason::StatusUnreadable => self.pick("状态名单无法读取", "status list unreadable"),
            Reason::StatusAgeing => self.pick("状态名单将过旧", "status list ageing"),
            Reason::TrustAgeing => self.pick("信任数据将过旧", "trust ageing"),
        }
    }
}
