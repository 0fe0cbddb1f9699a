"""What mail programs and servers write, in many languages. Data only: a line more is a phrase more."""

import re


def lines(text: str) -> tuple[str, ...]:
    """One phrase per line, in small letters."""
    return tuple(line.strip() for line in text.strip().splitlines())


def pattern(text: str, *, before: str = "", after: str = "") -> re.Pattern[str]:
    """One alternative (a regular expression) per line, whatever the case."""
    return re.compile(f"{before}(?:{'|'.join(lines(text))}){after}", re.IGNORECASE)


# How the line that introduces a quote begins | what stands in it. Without a beginning it needs a digit or an @, too.
ATTRIBUTIONS = tuple(
    (start.strip() + " " if start.strip() else "", verb.strip())
    for start, _, verb in (
        line.partition("|")
        for line in lines("""
            on | wrote
            am | schrieb
            am | geschrieben
            von | schrieb
            le | a écrit
            el | escribió
            il | ha scritto
            op | schreef
            em | escreveu
            a | escreveu
            no dia | escreveu
            w dniu | napisał
            dnia | napisał
            den | skrev
            på | skrev
            dne | napsal
            | wrote
            | schrieb
            | a écrit
            | escribió
            | ha scritto
            | schreef
            | escreveu
            | napisał
            | skrev
            | kirjoitti
            | написал
        """)
    )
)

# The fields of an unmarked quote's header.
FIELDS = {
    name: kind
    for kind, names in {
        "from": "from von de da van od från fra lähettäjä от",
        "sent": "sent gesendet datum date envoyé enviado enviada inviato data verzonden wysłano skickat sendt odesláno "
        "lähetetty fecha дата",
        "to": "to an à para a aan do till til komu kime vastaanottaja кому",
        "subject": "subject betreff objet asunto oggetto onderwerp assunto temat ämne emne předmět aihe тема",
    }.items()
    for name in names.split()
}

ORIGINAL = lines("""
    original message
    ursprüngliche nachricht
    originalnachricht
    message d'origine
    message original
    mensaje original
    messaggio originale
    oorspronkelijk bericht
    mensagem original
    wiadomość oryginalna
    oryginalna wiadomość
    originalmeddelande
    original besked
    původní zpráva
""")

FORWARDED = lines("""
    forwarded message
    weitergeleitete nachricht
    weitergeleitete e-mail
    anfang der weitergeleiteten
    message transféré
    message réexpédié
    début du message
    mensaje reenviado
    messaggio inoltrato
    doorgestuurd bericht
    mensagem encaminhada
    mensagem reencaminhada
    przekazana wiadomość
    wiadomość przekazana
    treść przekazanej
    vidarebefordrat
    videresendt
""")

MOBILE = tuple(
    f"{line} "
    for line in lines("""
        sent from my
        sent from outlook
        get outlook for
        sent via
        von meinem
        gesendet von
        gesendet mit
        diese nachricht wurde von meinem
        envoyé de mon
        envoyé depuis
        enviado desde mi
        enviado do meu
        enviado a partir do
        inviato da
        inviato dal mio
        verzonden vanaf
        verstuurd vanaf
        wysłane z
        skickat från min
        sendt fra min
    """)
)

# Words by which somebody says that the answers stand inside the quote.
INLINE = pattern(
    """
    below|inline|in-line|in red|in blue
    unten|im text|in rot|in blau|siehe meine
    ci-dessous|en rouge
    abajo|en rojo
    sotto|in rosso
    hieronder
    abaixo
    poniżej
    """,
    before=r"\b",
    after=r"\b",
)

FORWARD_SUBJECT = pattern("fwd?|wg|tr|rv|enc|doorst|pd|vb|vs", before=r"\s*", after=r"\s*:")

AWAY = pattern(
    r"""
    (?:auto|automatic|automatically|automatische|automatisch)[ :-]*(?:reply|response|antwort|replied|generated|antwoord)
    (?:i am |i'm )?out of (?:the )?office|\W*ooo\b|on (?:vacation|holiday|leave)|vacation
    abwesenheit|abwesend|außer haus|ausser haus|im urlaub|nicht im büro
    réponse automatique|absen[ct]e? du bureau|message d'absence
    respuesta automática|fuera de (?:la )?oficina
    risposta automatica|fuori (?:sede|ufficio)
    afwezig|niet aanwezig
    resposta automática|ausência
    odpowiedź automatyczna|autosvar|automaattinen|poissa|автоответ
    """,
    before=r"\W*+(?:(?:re|aw|sv)\s*+:\s*+)?",
)

ROBOTS = pattern(
    r"""
    mailer-?daemon|postmaster|mail-?daemon|mdaemon|maildelivery|bounces?
    mail delivery (?:sub)?system|microsoftexchange\w*
    """,
    after=r"(?=[@+\s.]|$)",
)

UNDELIVERED = pattern(r"""
    undeliver|could not be delivered|message (?:delayed|undeliver)|returned mail|mail delivery
    delivery (?:status notification|failure|problem|report|has failed)|delivery.{0,20}fail
    fail(?:ed|ure).{0,20}(?:delivery|notice|mail)
    unzustellbar|nicht zugestellt|zustellung
    non remis|échec
    non recapitabil
    no se ha podido entregar
    onbestelbaar
    niedostarcz
    não entregue
""")

FOR_GOOD = pattern(r"""
    user unknown|unknown user|no such (?:user|mailbox|recipient|address)|does(?: not|n't) exist
    mailbox (?:not found|unavailable)|permanent|rejected|i've given up
""")

NOT_YET = pattern(r"""
    delayed|still (?:be )?(?:trying|retrying)|will (?:be )?retr|will keep trying|temporar|no action is required
    verzögert
""")

# What stands in the line of dashes above the copy of what was sent.
COPY_FOLLOWS = lines("""
    copy
    original
    returned message
    header
""")

NOREPLY = pattern(
    r"""
    no[._-]?reply|do[._-]?not[._-]?reply|no[._-]?response
    nicht[._-]?antworten|keine[._-]?antwort
    ne[._-]?pas[._-]?repondre
    no[._-]?responder
    """,
    before=r"^(?:[^@]{0,64}[._-])?",
    after=r"(?:[._+-][^@]*)?@",
)

FORM_MAILERS = pattern("wpforms|contact[ -]?form|formmail|form-?mailer|gravity ?forms|ninja ?forms")

LURES = pattern(
    r"""
    viagra|cialis|replica watches|adult dating
    casino|lottery|jackpot
    crypto(?:currency)? (?:invest|profit)\w*|bitcoin (?:invest|profit|wallet)\w*|double your
    seo (?:service|ranking)s?|backlinks?|100% free|click here now|work from home
    inheritance|million (?:dollars|usd|euro)|next of kin|western union|payday loan
    """,
    before=r"\b",
    after=r"\b",
)
