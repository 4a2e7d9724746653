"""One sentence for each word with which a release is refused, for command lines; screens have their own catalogue."""

from __future__ import annotations

SENTENCES = {
    "bad_signature": "the signature is not right: the file was changed, or its signer's certificate is over",
    "foreign_key": "it is signed by somebody whose key is not in the keyring; take a file from your own district",
    "no_keyring": "the certificate to check it by cannot be read here: the image or the settings are at fault",
    "older": "it is older than what runs; village-point update install FILE --force puts it on all the same",
    "same": "this release runs already",
    "other_board": "it is for another kind of terminal",
    "half": "this is half a file, or none of ours; copy it again",
    "damaged": "the file is damaged; copy it again",
    "too_large": "the file is too large to be a release",
    "disk_full": "there is not enough room on the data partition; see village-point doctor",
    "wrong_base": "it builds on another release than the one that runs; take the whole file",
    "no_slots": "this installation has no second slot to update; a package is updated with apt",
    "not_ours": "it is no release of village-point",
    "expired": "the order's time was over before it could be carried out",
    "not_written": "it could not be written into the other slot; the running one is as before, see the journal",
    "busy": "another update is being written right now",
    "no_helper": "the update service does not answer; look at village-update.socket",
}


def sentence(word: str) -> str:
    """What to say."""
    return SENTENCES.get(word, word)
