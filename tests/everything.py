"""All that can be read of a model, as canonical JSON: two models are the same if this is."""

import json

from tests.read_side import Json, ReadSide

OF_A_BATCH = ("recipients", "calls", "rejections", "timeline")
SORTS = ("row", "-name", "phone_number", "-status", "outcome", "-attempts")
OF_THE_ACCOUNT = ("/v1/batches", "/v1/agents", "/v1/phone-numbers")


async def everything(reads: ReadSide) -> str:
    found: Json = {path: await reads.pages(path) for path in OF_THE_ACCOUNT}
    answer = await reads.http.get("/v1/account")
    found["/v1/account"] = answer.json()
    for batch in found["/v1/batches"]:
        at = f"/v1/batches/{batch['batch_id']}"
        found[at] = await reads.get(at)
        found |= {f"{at}/{part}": await reads.pages(f"{at}/{part}") for part in OF_A_BATCH}
        for sort in SORTS:
            found[f"{at} by {sort}"] = await reads.pages(f"{at}/recipients", sort=sort, limit=7)
        for recipient in found[f"{at}/recipients"]:
            why = f"{at}/recipients/{recipient['recipient_id']}/why"
            found[why] = await reads.get(why)
        for form in ("csv", "jsonl"):
            results = await reads.http.get(f"{at}/results.{form}")
            found[f"{at} as {form}"] = results.text
    return json.dumps(found, sort_keys=True)
