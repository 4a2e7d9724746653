"""The first start: from a blank card to settings a kiosk can start with. One look at a time, each safe to be cut off.

    district.toml found -> key and claim code made -> the desk approves -> the site's profile found -> settings written

Everything that was reached lies on the disk, written whole (sync/files.py), and each look begins from there: after a
power cut at any moment the next start goes on. Blocking; edge/first_app.py runs it in a thread and shows what it says.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge import network, site_profile, stick_door
from edge.clock import Clock
from edge.config import HubLink, Settings
from edge.district import District, read_district
from edge.first_files import Place
from edge.mistakes import ConfigError, Problem, mistake
from edge.replacing import Replacing
from edge.site_profile import BadProfile, Ground, settings_of
from edge.steps.first import FirstStart, ProfileRefused
from edge.store import StoreFault
from edge.toml_table import read_text
from edge.uplink import enroller, true_time
from sync.enrol import Claim
from sync.files import replace_file
from sync.identity import Identity
from sync.profile import Profile, check_use, opened
from sync.renewal import FAULTS
from ui.mistakes import lines_of

MAX_MISTAKES = 12  # told; a file with more is the wrong file
MAX_SAID = 2_000  # signs of mistakes told to the hub
USED = "used"  # what the hub is told of a profile that was found good

log = logging.getLogger(__name__)

Prove = Callable[[Settings], object]  # builds the devices and throws them away; ConfigError tells their mistakes


@dataclass(frozen=True, slots=True)
class Found:
    """A profile that may be used, and where it came from: card | stick | hub. `file`: as which it will be written."""

    source: str
    text: str
    file: Path
    number: int = 0


@dataclass(slots=True)
class _Search:
    """What was looked through on one look, and refused."""

    ground: Ground
    site: str
    refusals: list[ProfileRefused] = field(default_factory=list)


class Beginning:
    """One terminal's first start. `panel`: what the machine tells of its screen. `turn` until `is_done`."""

    def __init__(self, place: Place, panel: site_profile.Values, prove: Prove, clock: Clock) -> None:
        self._place = place
        self._panel = panel
        self._prove = prove
        self._clock = clock
        self._time = true_time(clock)
        self._says_restoring = False  # a person sees why it takes its time
        self._goes_on = False
        self._said: tuple[int, str] = (-1, "")  # of which profile the hub was told what
        self.is_done = False
        self.got_on_at = time.monotonic()  # a look that brings books back takes long, and is well as long as they come

    def ask_anew(self) -> None:
        """The hub said no: throw the key away, so that the next look asks with another code. Errors: OSError."""
        self._identity().ask_anew()

    def go_on(self) -> None:
        """Whoever stands here starts with the settings on the card, before anybody has approved."""
        self._goes_on = True

    def turn(self) -> FirstStart:
        """Look once; write the settings when they are complete. Errors: OSError for a disk that takes nothing."""
        net = network.look()
        stick_door.look()
        shown = self._look()
        return replace(shown, network=net.word, address=net.address)

    def district(self) -> District | None:
        """The district of the first file that can be read; for the window, which opens before the first look."""
        try:
            return self._district()
        except ConfigError:
            return None

    # --- inside ---------------------------------------------------------------------------------------------------

    def _look(self) -> FirstStart:
        try:
            district = self._district()
        except ConfigError as error:
            return FirstStart("bad_district", file=str(error.file), mistakes=mistakes_of(error))
        search = _Search(self._ground(district), "")
        card = self._on_card(search)
        if district is None:
            return self._without_district(card, search)
        identity = self._identity()
        shown = FirstStart("looking", phone=district.phone)
        if not identity.trusts(district.hub.ca_fingerprint):
            if identity.is_enrolled:
                return replace(shown, state="other_district")
            identity.ask_anew()
        if not identity.is_enrolled:
            return self._ask(district, identity, card, replace(shown, refusals=tuple(search.refusals)))
        return self._find(district, identity, shown)

    def _district(self) -> District | None:
        """The district we begin in: of its own file, else of the settings on the card. Errors: ConfigError."""
        files = self._place.district_files()
        if files:
            file = files[0]
            text = read_text(file)
            found = read_district(text, file, self._place.data_dir)
            if file not in (self._place.boot / file.name, self._place.kept_district):
                self._place.config.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self._place.kept_district, text.encode())
            return found
        card = self._on_card(_Search(self._ground(None), ""))
        settings = None if card is None else settings_of(card.text, card.file, self._ground(None))
        if settings is None or settings.hub is None or settings.hub.identity_dir is None:
            return None
        return District(settings.language, settings.help_phone or "", settings.hub, None)

    def _without_district(self, card: Found | None, search: _Search) -> FirstStart:
        """A point that needs nobody's approval: without a hub, or with keys that were put into files by hand."""
        if card is None:
            return FirstStart("no_district", refusals=tuple(search.refusals), file=str(self._place.boot))
        return self._adopt(card, search.ground, FirstStart("starting"))

    def _ask(self, district: District, identity: Identity, card: Found | None, shown: FirstStart) -> FirstStart:
        """Ask to be let in. The code can be read out before there is a line: key and fingerprint are here."""
        if self._goes_on and card is not None:
            return self._adopt(card, self._ground(district), shown)
        with identity.alone():
            code = identity.code(district.hub.ca_fingerprint)
        shown = replace(shown, code=code, qr=Claim("", code).qr, may_go_on=card is not None)
        wish = "" if card is None else settings_of(card.text, card.file, self._ground(district)).site
        try:
            claim = enroller(district.hub, identity, self._time).ask(wish)
        except FAULTS as error:
            return replace(shown, state=_word(error))
        if claim.state != "granted":
            return replace(shown, state=claim.state)
        return self._find(district, identity, shown)

    def _find(self, district: District, identity: Identity, shown: FirstStart) -> FirstStart:
        """We are let in: look for our profile on the card, on sticks, at the hub."""
        site = identity.certificate().name
        search = _Search(self._ground(district), site)
        shown = replace(shown, site=site, state="no_profile", code="", qr="", may_go_on=False)
        found = self._on_card(search) or self._on_sticks(search, identity, district.hub)
        if found is None:
            found, word = self._at_hub(search, identity, district.hub)
            shown = replace(shown, state=word)
        if found is None:
            return replace(shown, refusals=tuple(search.refusals))
        return self._with_books(found, search.ground, identity, district.hub, shown)

    def _with_books(
        self, found: Found, ground: Ground, identity: Identity, hub: HubLink, shown: FirstStart
    ) -> FirstStart:
        """First what the terminal before us had, then the settings: with them we are a kiosk."""
        settings = settings_of(found.text, found.file, ground)
        key = bytes.fromhex(identity.link_file.read_text("ascii"))
        voice = enroller(hub, identity, self._time)
        replacing = Replacing(self._place, settings.site, key, voice, self._clock)
        replacing.got_on = self._got_on
        try:
            if not replacing.is_over and (self._says_restoring or replacing.finds()):
                if not self._says_restoring:
                    self._says_restoring = True
                    return replace(shown, state="restoring")
                log.info("first start: the books came back from: %s", replacing.run(settings))
        except FAULTS as error:
            return replace(shown, state=_word(error))
        except StoreFault as fault:
            log.critical("the books of %s cannot come back: %s", settings.site, fault)
            return replace(shown, state="no_books")
        return self._adopt(found, ground, shown)

    def _adopt(self, found: Found, ground: Ground, shown: FirstStart) -> FirstStart:
        """Write the settings: with this file the next start is a kiosk's."""
        text = site_profile.whole(found.text, ground)
        settings_of(text, self._place.config, ground)  # what is written is what was found good
        self._place.config.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._place.config, text.encode())
        log.info("first start: the settings came from the %s", found.source)
        self.is_done = True
        return replace(shown, state="starting")

    def _got_on(self) -> None:
        self.got_on_at = time.monotonic()

    # --- where profiles are -----------------------------------------------------------------------------------------

    def _on_card(self, search: _Search) -> Found | None:
        file = self._place.card_profile
        if not file.is_file():
            return None
        try:
            found = Found("card", read_text(file), self._place.config)
        except ConfigError as error:
            search.refusals.append(ProfileRefused("card", "invalid", "", mistakes_of(error)))
            return None
        return found if self._is_good(found, search) else None

    def _on_sticks(self, search: _Search, identity: Identity, hub: HubLink) -> Found | None:
        """The newest profile for this terminal; of those for others only the first is spoken of."""
        good: list[Profile] = []
        refused: ProfileRefused | None = None
        code = identity.code(hub.ca_fingerprint)
        for content in self._place.signed_profiles():
            try:
                profile = opened(content, hub.ca_fingerprint)
                check_use(profile, search.site, code, self._time.now_s())
            except BadProfile as error:
                refused = refused or ProfileRefused("stick", error.word, error.detail)
            else:
                good.append(profile)
        if not good:
            search.refusals += [] if refused is None else [refused]
            return None
        newest = max(good, key=lambda profile: profile.number)
        found = Found("stick", newest.text, self._place.config, newest.number)
        return found if self._is_good(found, search) else None

    def _at_hub(self, search: _Search, identity: Identity, hub: HubLink) -> tuple[Found | None, str]:
        """Fetch it, tell what became of it. Return it, or the word of what stands in the way."""
        voice = enroller(hub, identity, self._time)
        try:
            content = voice.profile()
            if content is None:
                return None, "no_profile"
            before = len(search.refusals)
            found, number = self._from_hub(content, search, identity, hub)
            refusal = search.refusals[before] if len(search.refusals) > before else None
            self._answer(number, refusal, voice.profile)
        except FAULTS as error:
            return None, _word(error)
        return found, "no_profile"

    def _from_hub(self, content: bytes, search: _Search, identity: Identity, hub: HubLink) -> tuple[Found | None, int]:
        """The profile if it is good, and its number; 0 of one that cannot be read."""
        try:
            profile = opened(content, hub.ca_fingerprint)
            check_use(profile, search.site, identity.code(hub.ca_fingerprint), self._time.now_s())
        except BadProfile as error:
            search.refusals.append(ProfileRefused("hub", error.word, error.detail))
            return None, 0
        found = Found("hub", profile.text, self._place.config, profile.number)
        return (found if self._is_good(found, search) else None), profile.number

    def _answer(
        self, number: int, refusal: ProfileRefused | None, tell: Callable[[dict[str, str | int]], object]
    ) -> None:
        """Let the people of the hub see that a profile is used, or what is wrong with it; once."""
        word = USED if refusal is None else refusal.word
        if (number, word) == self._said:
            return
        detail = "" if refusal is None else "\n".join(lines_of(refusal.mistakes)) or refusal.detail
        tell({"number": number, "word": word, "detail": detail[:MAX_SAID]})
        self._said = (number, word)

    def _is_good(self, found: Found, search: _Search) -> bool:
        """Whether a kiosk could start with it here; else its refusal is noted."""
        try:
            self._prove(settings_of(found.text, found.file, search.ground, search.site))
        except BadProfile as error:
            search.refusals.append(ProfileRefused(found.source, error.word, error.detail))
        except ConfigError as error:
            search.refusals.append(ProfileRefused(found.source, "invalid", "", mistakes_of(error)))
        else:
            return True
        return False

    # --- parts ------------------------------------------------------------------------------------------------------

    def _ground(self, district: District | None) -> Ground:
        panel = self._panel if district is None or district.panel is None else district.panel
        hub = None if district is None else district.hub_table
        return Ground(self._place.data_dir, self._place.sticks, panel, hub)

    def _identity(self) -> Identity:
        return Identity(self._place.data_dir / "identity")


def mistakes_of(error: ConfigError) -> tuple[Problem, ...]:
    """As many of the mistakes as a person reads, and how many more there are."""
    left = len(error.problems) - MAX_MISTAKES
    more = (Problem(0, "", mistake("more", n=left)),) if left > 0 else ()
    return error.problems[:MAX_MISTAKES] + more


def _word(error: BaseException) -> str:
    return str(getattr(error, "word", "disk"))
