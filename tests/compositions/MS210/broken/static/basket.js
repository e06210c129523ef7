export async function load(id) {
    const answer = await fetch(`/basket/${id}`);
    return answer.json();
}
