//! A whole gate with a screen that it paints itself: what somebody who comes sees, and a screen that is not there.

use menshen_tests::faults::until;
use menshen_tests::faults::watched::Watched;
use menshen_tests::faults::world::{GREEN, World};
use std::path::PathBuf;
use std::time::Duration;

/// Longer than anything takes on a slow machine.
const LONG: Duration = Duration::from_secs(30);
/// The grounds of what is shown: nobody is there, an admission, nothing.
const CALM: [u8; 3] = [0xee, 0xf4, 0xfa];
const GREEN_GROUND: [u8; 3] = [0x0a, 0x6b, 0x31];
const DARK: [u8; 3] = [0, 0, 0];

/// Waits until the picture's ground has a colour.
fn until_ground(picture: &PathBuf, ground: [u8; 3]) {
    until(&format!("{ground:02x?} on the screen"), LONG, || {
        let picture = image::open(picture).ok()?.into_rgb8();
        assert_eq!(picture.dimensions(), (800, 480));
        // Beside the sign.
        (picture.get_pixel(2, 240).0 == ground).then_some(())
    });
}

#[test]
fn the_screen_waits_admits_and_is_dark_at_the_end() {
    let mut world = World::new();
    world.board("[display]\nkind = \"picture\"\n");
    // So long that the slowest machine paints it.
    world.site("thermometry = \"off\"\nhold_admit_ms = 60000\n");
    let picture = world.state().join("screen.png");
    let gate = Watched::start(&world).expect("it starts");
    until_ground(&picture, CALM);
    world.show(GREEN);
    assert_eq!(gate.verdict(1).verdict, "admit");
    until_ground(&picture, GREEN_GROUND);
    gate.stop();
    until_ground(&picture, DARK);
}

#[test]
fn a_screen_that_is_not_there_is_told_and_the_gate_goes_on() {
    let mut world = World::new();
    world.board("[display]\nkind = \"framebuffer\"\ndevice = \"no-such-screen\"\n");
    let gate = Watched::start(&world).expect("it starts");
    let told = gate.device("the fault", |device| device.faults.display.clone());
    assert!(told.contains("no-such-screen is not there") && told.contains("`display.device`"), "{told}");
    world.show(GREEN);
    assert_eq!(gate.verdict(1).verdict, "admit");
    gate.stop();
}
