"""A token check in one file."""

from fastapi import Depends, FastAPI, HTTPException

app = FastAPI()


def verify_token(token: str = "test123"):
    if token != "test123":
        raise HTTPException(status_code=403, detail="Invalid token")
    return token


@app.get("/secure-data/")
def read_secure_data(token: str = Depends(verify_token)):
    return {"msg": "Secure data accessed!", "token": token}
