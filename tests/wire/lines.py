"""What is said in these calls, by the caller and by the bot of the shipped business."""

ASK = "Tell me about the restaurant."
INTERRUPT = "How much is the large mushroom pizza?"
PRICE = "The large mushroom pizza is fourteen dollars."
MANAGER_PLEASE = "I want to talk to the manager."
PUT_THROUGH = "One moment, I'll put you through to the manager."
PARTING = "Thank you, goodbye."

BRISK = "tests.wire.engines:Brisk"
