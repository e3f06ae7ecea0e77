"""A token check in one file."""

from ninja import NinjaAPI

from di import Depends, HTTPException, inject

app = NinjaAPI(urls_namespace="secure-data")


def verify_token(token: str = "test123"):
    if token != "test123":
        raise HTTPException(status_code=403, detail="Invalid token")
    return token


@app.get("/secure-data/")
@inject
def read_secure_data(request, token: str = Depends(verify_token)):
    return {"msg": "Secure data accessed!", "token": token}
