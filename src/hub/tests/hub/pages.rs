//! The pages that people read.

use crate::world::{Gate, TOKEN, World, shift};

#[test]
fn a_hostile_label_stays_text() {
    let world = World::new();
    let gate = Gate::new(1);
    let label = "<script>alert('x')</script>\" onmouseover=\"";
    assert_eq!(world.post(&gate.path("enrol"), &gate.enrol(label, TOKEN)).status, 200);
    for path in ["/".to_owned(), format!("/gates/{}", gate.id())] {
        let page = world.get(&path).text();
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;"), "{page}");
        assert!(!page.contains("<script>") && !page.contains("onmouseover=\""), "{page}");
    }
}

#[test]
fn the_browser_is_forbidden_everything_that_is_not_the_hubs_own() {
    let world = World::new();
    let answer = world.get("/");
    let policy = answer.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    let page = answer.text();
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains(" style="), "{page}");
    for path in ["/style.css", "/page.js"] {
        assert_eq!(world.get(path).status, 200, "{path}");
    }
}

#[test]
fn a_verdict_is_told_by_shape_word_and_colour_with_its_reasons() {
    let world = World::new();
    let gate = world.enrolled(1);
    world.send(&gate, &shift(1, 3)).ack(&world);
    let page = world.get(&format!("/gates/{}?lang=en", gate.id())).text();
    for word in ["verdict admit", "verdict refer", "verdict refuse", "Admit", "Refer", "Refuse", "temperature high"] {
        assert!(page.contains(word), "{word} is missing in {page}");
    }
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(page.contains("2022-04-03 12:00:01"), "Beijing time in {page}");
    assert!(page.contains("36.52&nbsp;°C") && page.contains("330100"), "{page}");
}

#[test]
fn the_fleet_shows_where_each_gate_is() {
    let world = World::new();
    let gate = world.enrolled(1);
    world.send(&gate, &shift(1, 3)).ack(&world);
    let page = world.get("/?lang=en").text();
    assert!(page.contains("East gate 1") && page.contains(&gate.id().to_string()), "{page}");
    assert!(page.contains("epoch 1 through 3") && page.contains("<strong>3</strong>"), "{page}");
}

#[test]
fn the_language_is_the_askers() {
    let world = World::new();
    assert!(world.get("/?lang=zh").text().contains("查验点"));
    assert!(world.get("/?lang=en").text().contains("Gates"));
}

#[test]
fn an_unknown_gate_has_a_page_that_says_so() {
    let world = World::new();
    let answer = world.get("/gates/0000000000000000?lang=en");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("There is no such gate here"));
}
